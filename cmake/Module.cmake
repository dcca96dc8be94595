# A folder of the pipeline as a static library that sees only what it names.
#
#   add_module(track
#       SOURCES flow_table.c lifecycle.c …     # of this folder
#       PUBLIC  track.h …                      # headers (and .def tables) others may include
#       NEEDS   dissect model base             # modules whose public headers it may include
#       LINKS   PkgConfig::pcap …)             # outside libraries, visible to this folder alone
#
# The public headers of a module are linked into <build>/public/<module>/<module>/, and that folder
# is all that its users get: `#include "track/track.h"` works only for those that name track, and
# private headers (included by bare name: "flow_table.h") only inside their folder. Each public
# header is also compiled alone.
function(add_module name)
    cmake_parse_arguments(MODULE "" "" "SOURCES;PUBLIC;NEEDS;LINKS" ${ARGN})
    if(MODULE_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "add_module(${name}): unknown words ${MODULE_UNPARSED_ARGUMENTS}")
    endif()

    set(public_root "${PROJECT_BINARY_DIR}/public/${name}")
    file(MAKE_DIRECTORY "${public_root}/${name}")
    set(header_checks "")
    foreach(header IN LISTS MODULE_PUBLIC)
        file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}/${header}" "${public_root}/${name}/${header}"
             SYMBOLIC)
        if(header MATCHES "\\.h$")
            string(MAKE_C_IDENTIFIER "${header}" header_id)
            set(check "${CMAKE_CURRENT_BINARY_DIR}/alone_${header_id}.c")
            file(CONFIGURE OUTPUT "${check}" CONTENT
                 "#include \"${name}/${header}\"\n#include \"${name}/${header}\"\n")
            list(APPEND header_checks "${check}")
        endif()
    endforeach()

    add_library(${name} STATIC ${MODULE_SOURCES} ${header_checks})
    target_include_directories(${name} PUBLIC "${public_root}")
    target_link_libraries(${name} PUBLIC ${MODULE_NEEDS} PRIVATE house_flags ${MODULE_LINKS})
endfunction()
