// SPDX-License-Identifier: MIT
// Replays the seeds of a target, and a fixed number of mutants of them: the same ones on every run.
// Arguments: the folder of the seeds, the number of mutants.
#include "fuzz/invariant.hpp"
#include "fuzz/random_source.hpp"
#include "http/refusal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using unicoro::test::random_source;

std::vector<std::string> seeds_of(const fs::path& folder) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> seeds;
    for (const fs::path& path : paths) {
        std::ifstream file(path, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return seeds;
}

void mutate(std::string& input, const std::vector<std::string>& seeds, random_source& random) {
    const std::string& other = seeds[random.below(seeds.size())];
    const std::size_t at = random.below(input.size() + 1);
    const std::size_t count = random.below(8) + 1;
    switch (random.below(6)) {
        case 0: input.insert(at, 1, static_cast<char>(random.below(256))); break;
        case 1: input.erase(at, count); break;
        case 2: input.insert(random.below(input.size() + 1), input.substr(at, count)); break;
        case 3: input.insert(at, other.substr(random.below(other.size() + 1), count)); break;
        case 4: input.replace(at, std::string::npos, other.substr(random.below(other.size() + 1))); break;
        default:
            if (at < input.size()) input[at] = static_cast<char>(random.below(256));
    }
}

bool holds(const std::string& input, const char* what) {
    const std::string wrong = unicoro::test::broken_by(input);
    if (wrong.empty()) return true;
    std::fprintf(stderr, "%s: %s\n%s\n", what, wrong.c_str(), unicoro::http::quoted(input).c_str());
    return false;
}

int run(const fs::path& folder, long mutants) {
    const std::vector<std::string> seeds = seeds_of(folder);
    if (seeds.empty()) throw std::runtime_error("no seeds in " + folder.string());
    for (const std::string& seed : seeds) {
        if (!holds(seed, "a seed")) return 1;
    }
    random_source random;
    for (long number = 0; number < mutants; ++number) {
        std::string input = seeds[random.below(seeds.size())];
        for (std::size_t n = random.below(4) + 1; n > 0; --n) mutate(input, seeds, random);
        if (!holds(input, "a mutant")) return 1;
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) return 2;
    try {
        return run(arguments[1], std::strtol(arguments[2], nullptr, 10));
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
}
