# Turns a text file into a C object (asset.h), with its SHA-256 for the page's content policy.
#   cmake -DINPUT=report.css -DOUTPUT=report_css.c -DNAME=report_css -P embed.cmake
file(READ "${INPUT}" hex HEX)
file(SHA256 "${INPUT}" sha256)
file(SIZE "${INPUT}" size)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
get_filename_component(input_name "${INPUT}" NAME)
file(WRITE "${OUTPUT}" "/* Made from ${input_name} by embed.cmake. */
#include \"asset.h\"

static const unsigned char bytes[] = {
${bytes}0x00};
const struct asset ${NAME} = {(const char *)bytes, ${size}, \"${sha256}\"};
")
