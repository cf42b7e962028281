# Makes a C++ file of the console's files and of uPlot, which npm brings. Without npm, or when it
# fails, the console is built without uPlot and draws its lines itself.
#
#   cmake -DSOURCE=this folder -DWORK=folder for npm -DOUTPUT=assets.cc -P bundle.cmake

set(UPLOT ${WORK}/node_modules/uplot)
set(PLAIN ${WORK}/without-uplot)
set(MISSING "npm is not installed")
file(MAKE_DIRECTORY ${WORK})
file(REMOVE_RECURSE ${WORK}/node_modules)
find_program(NPM npm)
if(NPM)
  file(COPY ${SOURCE}/package.json ${SOURCE}/package-lock.json DESTINATION ${WORK})
  execute_process(
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000
    WORKING_DIRECTORY ${WORK} TIMEOUT 120 RESULT_VARIABLE FAILED OUTPUT_QUIET
    ERROR_VARIABLE MISSING)
endif()
if(EXISTS ${UPLOT}/dist/uPlot.iife.min.js AND EXISTS ${UPLOT}/dist/uPlot.min.css)
  # Its licence wants to be where the code is.
  file(READ ${UPLOT}/LICENSE LICENSE)
  file(READ ${UPLOT}/dist/uPlot.iife.min.js SCRIPT)
  file(WRITE ${WORK}/uplot.js "/*\n${LICENSE}*/\n${SCRIPT}")
  file(COPY_FILE ${UPLOT}/dist/uPlot.min.css ${WORK}/uplot.css)
  file(REMOVE ${PLAIN})
else()
  message(STATUS "The console is built without uPlot: ${MISSING}")
  file(WRITE ${WORK}/uplot.js "")
  file(WRITE ${WORK}/uplot.css "")
  file(WRITE ${PLAIN} "")
endif()

set(CODE "// Made by server/console/bundle.cmake.\n#include \"server/console_assets.h\"\n\n")
string(APPEND CODE "namespace spinel {\nnamespace {\n")
string(APPEND CODE "// NOLINTBEGIN(readability-identifier-naming): made of the URLs\n")
set(ROWS "")
foreach(ROW
    "/|text/html|${SOURCE}/index.html"
    "/console.css|text/css|${SOURCE}/console.css"
    "/console.js|text/javascript|${SOURCE}/console.js"
    "/charts.js|text/javascript|${SOURCE}/charts.js"
    "/keys.js|text/javascript|${SOURCE}/keys.js"
    "/uplot.js|text/javascript|${WORK}/uplot.js"
    "/uplot.css|text/css|${WORK}/uplot.css")
  string(REPLACE "|" ";" ROW "${ROW}")
  list(GET ROW 0 URL)
  list(GET ROW 1 TYPE)
  list(GET ROW 2 FILE)
  string(MAKE_C_IDENTIFIER "k${URL}" NAME)
  file(READ ${FILE} BYTES HEX)
  string(LENGTH "${BYTES}" SIZE)
  math(EXPR SIZE "${SIZE} / 2")
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," BYTES "${BYTES}")
  string(REPEAT "......." 13 LINE)
  string(REGEX REPLACE "(${LINE})" "\\1\n    " BYTES "${BYTES}")
  string(APPEND CODE "constexpr char ${NAME}[] = {${BYTES}'\\0'};\n")
  string(APPEND ROWS "    {\"${URL}\", \"${TYPE}; charset=utf-8\", {${NAME}, ${SIZE}}},\n")
endforeach()
string(APPEND CODE "// NOLINTEND(readability-identifier-naming)\n")
string(APPEND CODE "constexpr ConsoleAsset kAssets[] = {\n${ROWS}};\n}  // namespace\n\n")
string(APPEND CODE "std::span<const ConsoleAsset> ConsoleAssets() { return kAssets; }\n\n")
string(APPEND CODE "}  // namespace spinel\n")
file(WRITE ${OUTPUT} "${CODE}")
