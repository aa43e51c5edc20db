// SPDX-License-Identifier: MIT
#include "cli/python_answers.hpp"
#include "support/doctest.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace cli = unicoro::cli;
namespace fs = std::filesystem;
namespace settings = unicoro::settings;

namespace {

/// A settings file that says how often it has been run.
class counting_file {
  public:
    counting_file() {
        char name[] = "/tmp/unicoro-answers-test-XXXXXX";
        REQUIRE(mkdtemp(name) != nullptr);
        folder_ = name;
        std::ofstream(folder_ + "/conf.py")
            << "with open('runs', 'a') as runs: runs.write('x')\nworkers = 3\n";
    }
    counting_file(const counting_file&) = delete;
    counting_file& operator=(const counting_file&) = delete;
    ~counting_file() { fs::remove_all(folder_); }

    [[nodiscard]] settings::python_question question() const {
        settings::python_question asked;
        asked.location = folder_ + "/conf.py";
        asked.names = {"workers"};
        asked.directory = folder_;
        asked.command_line = {"unicoro"};
        return asked;
    }
    [[nodiscard]] std::size_t runs() const {
        std::error_code failed;
        const auto size = fs::file_size(folder_ + "/runs", failed);
        return failed ? 0 : static_cast<std::size_t>(size);
    }

  private:
    std::string folder_;
};

}  // namespace

TEST_SUITE("answers of settings files") {
    TEST_CASE("are taken over, and the file is run anew when they are forgotten") {
        const counting_file file;
        cli::python_answers first;
        const auto answer = first.ask(file.question());
        REQUIRE(answer.problem == "");
        CHECK(answer.text.find("workers") != std::string::npos);
        CHECK(file.runs() == 1);
        auto kept = first.save();
        REQUIRE(kept.has_value());
        // A program that is executed inherits it.
        CHECK((fcntl(kept->get(), F_GETFD) & FD_CLOEXEC) == 0);

        cli::python_answers second;
        second.restore(std::move(*kept));
        CHECK(second.ask(file.question()).text == answer.text);
        CHECK(second.ask(file.question()).text == answer.text);
        CHECK(file.runs() == 1);
        second.forget();
        CHECK(second.ask(file.question()).text == answer.text);
        CHECK(second.ask(file.question()).text == answer.text);
        CHECK(file.runs() == 3);
    }

    TEST_CASE("what is no answer is asked again") {
        const counting_file file;
        cli::python_answers answers;
        answers.restore(unicoro::os::unique_fd(open("/dev/null", O_RDONLY | O_CLOEXEC)));
        CHECK(answers.ask(file.question()).problem == "");
        CHECK(file.runs() == 1);
    }
}
