# Outside libraries, all Debian packages. A missing one fails here with the package to install.

find_package(OpenSSL 3.0 REQUIRED)
find_package(Poco 1.11 REQUIRED COMPONENTS Foundation Net NetSSL Util Crypto)
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(CLI11 2.1 REQUIRED)

pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4-c++)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(QRENCODE REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(FIDO2 REQUIRED IMPORTED_TARGET libfido2)

# libunbound's .pc asks for the development files of its own dependencies, so it is found by name.
find_library(UNBOUND_LIBRARY unbound)
find_path(UNBOUND_INCLUDE unbound.h)
if(NOT UNBOUND_LIBRARY OR NOT UNBOUND_INCLUDE)
  message(FATAL_ERROR "libunbound not found: apt-get install libunbound-dev")
endif()
add_library(Unbound::Unbound INTERFACE IMPORTED)
target_link_libraries(Unbound::Unbound INTERFACE ${UNBOUND_LIBRARY})
target_include_directories(Unbound::Unbound INTERFACE ${UNBOUND_INCLUDE})

find_path(TOMLPP_INCLUDE toml++/toml.h)
find_path(MUSTACHE_INCLUDE kainjow/mustache.hpp)
if(NOT TOMLPP_INCLUDE OR NOT MUSTACHE_INCLUDE)
  message(FATAL_ERROR "header missing: apt-get install libtomlplusplus-dev libkainjow-mustache-dev")
endif()
