# The page of `weft report`: our files of src/report/page and dygraphs as Debian packages it,
# embedded in weft. Run by CMake it adds the generated source to weft_report; run as a script it
# writes that source, which implements report/report_assets.h.

# What 64 hexadecimal digits stand for, in base64.
function(base64_of_sha256 hex output)
  set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(text "")
  foreach(at RANGE 0 60 6)
    string(SUBSTRING ${hex} ${at} 6 digits)
    set(shifts 18 12 6 0)
    if(at EQUAL 60)  # two bytes are left: three letters
      set(digits ${digits}00)
      set(shifts 18 12 6)
    endif()
    foreach(shift ${shifts})
      math(EXPR index "(0x${digits} >> ${shift}) & 63")
      string(SUBSTRING ${alphabet} ${index} 1 letter)
      string(APPEND text ${letter})
    endforeach()
  endforeach()
  set(${output} "${text}=" PARENT_SCOPE)
endfunction()

# Appends the files, one after the other, to the source as the array `name`, and to `assets` its use.
# A reference to a map of the source, which nobody has, is left out.
function(embed name)
  set(text "")
  foreach(file ${ARGN})
    file(READ ${file} part)
    string(REGEX REPLACE "/[/*][#@] sourceMappingURL=[^\n]*" "" part "${part}")
    string(APPEND text "${part}")
  endforeach()
  set(whole ${SOURCE}.${name})
  file(WRITE ${whole} "${text}")
  file(SHA256 ${whole} sha256)
  base64_of_sha256(${sha256} sha256)
  file(READ ${whole} bytes HEX)
  file(REMOVE ${whole})
  string(REPEAT . 32 line)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  file(APPEND ${SOURCE}.new "constexpr char k_${name}[] = {\n${bytes}};\n\n")
  set(assets "${assets}    {{k_${name}, sizeof(k_${name})}, \"${sha256}\"},\n" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB styles ${DIRECTORY}/*.css)
  file(GLOB scripts ${DIRECTORY}/*.js)
  set(assets "")
  file(WRITE ${SOURCE}.new "#include \"report/report_assets.h\"\n\nnamespace weft {\nnamespace {\n\n")
  embed(page ${DIRECTORY}/page.html)
  embed(style ${styles})
  embed(script ${scripts})
  embed(chart_style ${CHART_STYLE})
  embed(chart_script ${CHART_SCRIPT})
  embed(chart_licence ${CHART_LICENCE})
  file(APPEND ${SOURCE}.new "\n}  // namespace\n\nconst ReportAssets& report_assets() {\n"
    "  static constexpr ReportAssets kAssets = {\n${assets}  };\n  return kAssets;\n}\n\n"
    "}  // namespace weft\n")
  file(RENAME ${SOURCE}.new ${SOURCE})
  return()
endif()

set(report_directory ${CMAKE_SOURCE_DIR}/src/report/page)
set(report_source ${CMAKE_BINARY_DIR}/generated/report/report_assets.cc)
file(GLOB report_files CONFIGURE_DEPENDS ${report_directory}/*)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated/report)
add_custom_command(OUTPUT ${report_source}
  COMMAND ${CMAKE_COMMAND} -DDIRECTORY=${report_directory} -DSOURCE=${report_source}
    -DCHART_STYLE=${DYGRAPHS_STYLE} -DCHART_SCRIPT=${DYGRAPHS_SCRIPT}
    -DCHART_LICENCE=${DYGRAPHS_LICENCE} -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${CMAKE_CURRENT_LIST_FILE} ${report_files} ${DYGRAPHS_STYLE} ${DYGRAPHS_SCRIPT}
    ${DYGRAPHS_LICENCE}
  COMMENT "Embedding the page of weft report"
  VERBATIM)
target_sources(weft_report PRIVATE ${report_source})
