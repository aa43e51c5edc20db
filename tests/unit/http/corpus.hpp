// SPDX-License-Identifier: MIT
#pragma once

#include "http/policy.hpp"

#include <string>
#include <vector>

namespace unicoro::test {

/// One file of tests/corpus/requests, with the policy that its settings make.
struct corpus_file {
    std::string name;         ///< "valid/001-get"
    std::string wire;         ///< the bytes of the .http file
    std::string expectation;  ///< the text of the .json file
    http::policy rules;
    http::peer_trust trust = http::peer_trust::untrusted;
    base::trust_list hops;
    bool refused = false;  ///< of the folder "refused"

    /// Lives as long as the file.
    [[nodiscard]] http::peer peer() const noexcept {
        return {trust, false, trust == http::peer_trust::trusted ? &hops : nullptr};
    }
};

/// All files in order of their names. Throws when a file is missing, broken or names an unknown
/// setting.
std::vector<corpus_file> load_corpus();

}  // namespace unicoro::test
