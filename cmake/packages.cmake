# Finds what the build needs, a compiler included. What is missing is named all
# at once, with the command that installs it: `pip install .` shows no more.

set(missing "")
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
else()
  unset(CMAKE_CXX_COMPILER CACHE)  # The next try looks again.
  list(APPEND missing "C++ compiler")
endif()

find_package(PkgConfig QUIET)
find_package(fmt QUIET)
find_package(nlohmann_json 3.11 QUIET)
find_package(CLI11 2.1 QUIET)
find_package(BZip2 QUIET)
if(RECHUNK_PYTHON AND CMAKE_CXX_COMPILER)
  find_package(Python 3.11 QUIET COMPONENTS Interpreter Development.Module)
endif()
set(oldest_libcurl >=7.85)  # CURLOPT_PROTOCOLS_STR.
set(oldest_openssl >=3.0)
foreach(name IN ITEMS blosc libzstd liblz4 libdeflate liblzma zlib libcurl openssl
    pugixml)
  if(PkgConfig_FOUND)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET ${name}${oldest_${name}})
  endif()
endforeach()

set(needed PkgConfig fmt nlohmann_json CLI11 BZip2 blosc libzstd liblz4 libdeflate
  liblzma zlib libcurl openssl pugixml)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../packages.txt packages)
if(RECHUNK_PYTHON)
  list(APPEND needed Python)
  list(APPEND packages python3-dev)
endif()
foreach(name IN LISTS needed)
  if(NOT ${name}_FOUND)
    list(APPEND missing ${name})
  endif()
endforeach()
if(missing)
  list(JOIN missing ", " missing)
  list(JOIN packages " " packages)
  message(FATAL_ERROR "These were not found: ${missing}.\n"
    "On Debian this command, run as root, installs what the build needs:\n"
    "  apt-get install ${packages}\n")
endif()
find_package(Threads REQUIRED)
