// SPDX-License-Identifier: MIT
#include "python/host/app_import.hpp"
#include "python/runtime/gil.hpp"
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <string>

using unicoro::app::boot_failure;
using unicoro::python::gil_lock;
using unicoro::python::import_application;
using unicoro::testing::python;
using unicoro::testing::the_host;

TEST_SUITE("application specs") {
    TEST_CASE("that lead to an application") {
        struct row {
            const char* spec;
            const char* check;  // a Python expression
        };
        const row rows[] = {
            {"unit_apps", "True"},
            {"unit_apps:application", "True"},
            {"unit_apps:app_hello", "True"},
            {"unit_apps:box.inner", "True"},
            {"unit_apps:create_app()", "seen['created'] == ('default', None, ())"},
            {"unit_apps:create_app('x')", "seen['created'] == ('x', None, ())"},
            {"unit_apps:create_app(\"a:b\", flag=1, items=[1, {'k': None}])",
             "seen['created'] == ('a:b', 1, [1, {'k': None}])"},
        };
        the_host();
        for (const row& each : rows) {
            CAPTURE(each.spec);
            {
                const gil_lock gil;
                const auto found =
                    import_application(each.spec, unicoro::settings::app_interface::auto_detect);
                REQUIRE(found.has_value());
                CHECK(PyCallable_Check(found->callable.get()) != 0);
            }
            CHECK(python(each.check) == "True");
        }
    }

    TEST_CASE("that do not") {
        struct row {
            const char* spec;
            boot_failure code;
            const char* message;
        };
        constexpr boot_failure application = boot_failure::application;
        const row rows[] = {
            {"no_such_module", application, "there is no module 'no_such_module'. Searched:"},
            {"unit_apps.sub:app", application, "there is no module 'unit_apps.sub'"},
            {":app", application, "does not begin with the name of a module"},
            {"unit_apps:", application, "names nothing after the ':'"},
            {"unit_apps:nothing", application, "Did you mean 'unit_apps:application'?"},
            {"unit_apps:box.nothing", application, "there is no 'nothing' in 'unit_apps.box'"},
            {"unit_apps:not_callable", application, "is an int, which is not callable"},
            {"unit_apps:1 + 1", application, "neither an attribute name nor a factory call"},
            {"unit_apps:a b", application, "neither an attribute name nor a factory call"},
            {"unit_apps:create_app(os.environ)", application, "must be literal values"},
            {"unit_apps:create_app(**{})", application, "must be literal values"},
            {"unit_apps:create_app(1, 2, 3)", application, "takes from 0 to 1 positional"},
            {"unit_apps:not_callable()", application, "what is called here is no function"},
            {"unit_apps:empty_factory()", application, "returned None"},
            {"unit_apps:broken_factory()", application, "TypeError: inside the factory"},
            {"unit_broken", application, "ZeroDivisionError"},
            {"unit_broken_import", application, "No module named 'no_such_dependency'"},
            {"unit_broken_syntax", application, "SyntaxError"},
            {"unit_broken_exit", application, "SystemExit: 0"},
        };
        the_host();
        const gil_lock gil;
        for (const row& each : rows) {
            CAPTURE(each.spec);
            const auto found = import_application(each.spec, unicoro::settings::app_interface::auto_detect);
            REQUIRE(found.has_error());
            CAPTURE(found.error().message);
            CHECK(found.error().code == each.code);
            CHECK(found.error().message.find(each.message) != std::string::npos);
        }
    }
}

TEST_SUITE("interpreter") {
    TEST_CASE("is made ready for the server and an application") {
        CHECK(python("sys.path[0] == os.getcwd()") == "True");
        CHECK(python("__import__('faulthandler').is_enabled()") == "True");
        CHECK(
            python("(signal := __import__('signal')).getsignal(2) is signal.default_int_handler") == "True"
        );
    }

    TEST_CASE("threads of the application run while the loop is outside Python") {
        python(
            "seen.update(thread=__import__('threading').Thread(target=seen.update, kwargs={'ran': "
            "1}))"
        );
        python("seen['thread'].start()");
        CHECK(python("seen['thread'].join(10)") == "None");
        CHECK(python("seen['ran']") == "1");
    }
}
