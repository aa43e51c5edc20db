// SPDX-License-Identifier: MIT
#include "unit/http/corpus.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace unicoro::test {
namespace {

using nlohmann::json;

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

http::underscore_fields header_map(const std::string& text) {
    if (text == "drop") return http::underscore_fields::drop;
    if (text == "refuse") return http::underscore_fields::refuse;
    if (text == "dangerous") return http::underscore_fields::dangerous;
    throw std::runtime_error("unknown header_map " + text);
}

http::client_field client_field(const std::string& text) {
    if (text == "x-forwarded-for") return http::client_field::x_forwarded_for;
    if (text == "forwarded") return http::client_field::forwarded;
    throw std::runtime_error("unknown forwarded_client " + text);
}

void apply(http::policy& p, const std::string& key, const json& value) {
    if (key == "limit_request_line") return void(p.limit_request_line = value);
    if (key == "limit_request_fields") return void(p.limit_request_fields = value);
    if (key == "limit_request_field_size") return void(p.limit_request_field_size = value);
    if (key == "limit_request_body") return void(p.limit_request_body = value);
    if (key == "permit_obsolete_folding") return void(p.permit_obsolete_folding = value);
    if (key == "permit_unconventional_http_method") {
        return void(p.permit_unconventional_http_method = value);
    }
    if (key == "permit_unconventional_http_version") {
        return void(p.permit_unconventional_http_version = value);
    }
    if (key == "casefold_http_method") return void(p.casefold_http_method = value);
    if (key == "header_map") return void(p.header_map = header_map(value));
    if (key == "forwarded_client") return void(p.forwarded_client = client_field(value));
    if (key == "forwarded_host") return void(p.forwarded_host = value);
    if (key == "secure_scheme_headers") return value.get_to(p.secure_scheme_headers), void();
    if (key == "forwarder_headers") return value.get_to(p.forwarder_headers), void();
    throw std::runtime_error("unknown setting " + key);
}

corpus_file load(const std::filesystem::path& http_path, const std::string& folder) {
    std::filesystem::path json_path = http_path;
    json_path.replace_extension(".json");
    corpus_file f;
    f.name = folder + "/" + http_path.stem().string();
    f.wire = read_file(http_path);
    f.expectation = read_file(json_path);
    f.refused = folder == "refused";
    const json expected = json::parse(f.expectation);
    const json settings = expected.value("settings", json::object());
    for (const auto& [key, value] : settings.items()) {
        if (key != "forwarded_allow_ips") {
            apply(f.rules, key, value);
            continue;
        }
        for (const std::string network : value) {
            if (!f.hops.add(network)) throw std::runtime_error("no network: " + network);
        }
    }
    if (expected.value("peer", "") == "trusted") f.trust = http::peer_trust::trusted;
    return f;
}

}  // namespace

std::vector<corpus_file> load_corpus() {
    std::vector<corpus_file> files;
    for (const std::string folder : {"refused", "valid"}) {
        const std::filesystem::path directory = std::filesystem::path(UNICORO_CORPUS) / folder;
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            if (entry.path().extension() == ".http") files.push_back(load(entry.path(), folder));
        }
    }
    std::sort(files.begin(), files.end(), [](const corpus_file& a, const corpus_file& b) {
        return a.name < b.name;
    });
    return files;
}

}  // namespace unicoro::test
