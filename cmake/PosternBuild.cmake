# How Postern is compiled: one static library per room, one test program per room, warnings are errors.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(POSTERN_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(POSTERN_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

# Warnings are errors where Postern is developed. Who builds a release with another compiler, or deeper optimisation, must
# not be stopped by a finding that no earlier build had.
add_library(postern_flags INTERFACE)
target_compile_options(postern_flags INTERFACE
  -Wall -Wextra $<$<NOT:$<CONFIG:Release>>:-Werror> -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wunused -Woverloaded-virtual -Wimplicit-fallthrough
  -fPIE -fstack-protector-strong -fno-omit-frame-pointer -pthread
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
target_link_options(postern_flags INTERFACE -pie -Wl,-z,relro,-z,now)
target_include_directories(postern_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(postern_flags INTERFACE -Wthread-safety -Wno-unused-command-line-argument)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # gcc 12 finds std::string + literal out of bounds at -O2, which it is not.
  target_compile_options(postern_flags INTERFACE -Wno-array-bounds -Wno-restrict)
endif()
if(POSTERN_SANITIZE)
  target_compile_options(postern_flags INTERFACE -fsanitize=${POSTERN_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(postern_flags INTERFACE -fsanitize=${POSTERN_SANITIZE})
  # With sanitizers gcc 12 finds std::regex uninitialised, which it is not.
  target_compile_options(postern_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(POSTERN_FUZZ)
  target_compile_options(postern_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_package(Threads REQUIRED)
# Every room is compiled with POCO's definitions, so that one precompiled header fits all.
find_package(Poco 1.11 REQUIRED COMPONENTS Foundation)
target_link_libraries(postern_flags INTERFACE Threads::Threads Poco::Foundation)

# postern_room(LINKS <libraries...>)
# The static library of the room in the current folder: every .cpp below it except main.cpp.
# core/mail becomes postern_mail, gateway becomes postern_gateway.
function(postern_room)
  cmake_parse_arguments(ROOM "" "" "LINKS" ${ARGN})
  get_filename_component(name ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(postern_${name} STATIC ${sources})
  target_link_libraries(postern_${name} PUBLIC postern_flags ${ROOM_LINKS})
  if(name STREQUAL "base")
    target_precompile_headers(postern_base PRIVATE ${CMAKE_SOURCE_DIR}/cmake/Precompiled.h)
  else()
    target_precompile_headers(postern_${name} REUSE_FROM postern_base)
  endif()
endfunction()

# postern_program(<name> LINKS <libraries...>): main.cpp of the current folder as bin/<name>.
function(postern_program name)
  cmake_parse_arguments(PROGRAM "" "" "LINKS" ${ARGN})
  add_executable(${name} main.cpp)
  target_link_libraries(${name} PRIVATE postern_flags ${PROGRAM_LINKS})
  target_precompile_headers(${name} REUSE_FROM postern_base)
endfunction()
