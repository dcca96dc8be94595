# Turns a text file into a C array, so that the program needs no file at run time.
#   cmake -DINPUT=schema.sql -DOUTPUT=schema_sql.c -DNAME=schema_sql -P embed.cmake
file(READ "${INPUT}" hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
get_filename_component(input_name "${INPUT}" NAME)
file(WRITE "${OUTPUT}" "/* Made from ${input_name} by embed.cmake. */
extern const char ${NAME}[];
const char ${NAME}[] = {
${bytes}0x00};
")
