// SPDX-License-Identifier: MIT
#include "base/exception_text.hpp"
#include "support/doctest.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>
#include <string>

using unicoro::base::exception_text;

TEST_SUITE("exception_text") {
    TEST_CASE("what Boost throws is told without its source") {
        static constexpr boost::source_location place = BOOST_CURRENT_LOCATION;
        const boost::system::error_code refused(ECONNREFUSED, boost::system::system_category(), &place);
        const boost::system::system_error error(refused, "connect");
        REQUIRE(std::string(error.what()).find("exception_text_test.cpp") != std::string::npos);
        CHECK(exception_text(error) == "connect: Connection refused");
        CHECK(exception_text(boost::system::system_error(refused)) == "Connection refused");
    }

    TEST_CASE("others as they are") {
        CHECK(exception_text(std::runtime_error("a [b:1 at c:2]")) == "a [b:1 at c:2]");
        CHECK(exception_text(std::make_exception_ptr(std::runtime_error("x"))) == "x");
        CHECK(exception_text(std::make_exception_ptr(7)) == "an exception that is not a std::exception");
    }
}
