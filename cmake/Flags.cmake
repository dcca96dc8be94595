# Compiler flags of the whole house, as one interface library.
add_library(house_flags INTERFACE)
target_compile_features(house_flags INTERFACE c_std_11)
target_compile_definitions(house_flags INTERFACE _GNU_SOURCE)
target_compile_options(house_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -fno-strict-aliasing
    -fno-common)

option(APNSCOPE_WERROR "Warnings are errors" OFF)
option(APNSCOPE_HARDEN "Hardened release: stack protector, fortify, PIE, RELRO" OFF)
option(APNSCOPE_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(APNSCOPE_COVERAGE "Count what tests reach (gcov)" OFF)
set(APNSCOPE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

if(APNSCOPE_WERROR)
    target_compile_options(house_flags INTERFACE -Werror)
endif()
if(APNSCOPE_HARDEN)
    target_compile_options(house_flags INTERFACE -fstack-protector-strong
        -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=2)
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()
if(APNSCOPE_SANITIZE)
    add_compile_options(-fsanitize=${APNSCOPE_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${APNSCOPE_SANITIZE})
    add_compile_definitions(APNSCOPE_SANITIZED) # their runtimes need more of the sandbox
endif()
if(APNSCOPE_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
