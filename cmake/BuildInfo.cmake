# What `weft --version` says about the build: version, git commit, compiler. Run by CMake it defines
# the target weft_build_info and lets weft_measure see its header; run as a script, on every build, it
# asks git and rewrites the header only when the answer has changed. Without git, or outside a
# repository, the commit is "unknown".

if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(
    COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE GIT_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed)
    set(GIT_COMMIT "unknown")
  endif()
  configure_file(${SOURCE_DIR}/cmake/build_info.h.in ${HEADER} @ONLY)
  return()
endif()

set(build_info_directory ${CMAKE_BINARY_DIR}/generated)
add_custom_target(weft_build_info
  COMMAND ${CMAKE_COMMAND}
    -DSOURCE_DIR=${CMAKE_SOURCE_DIR}
    -DHEADER=${build_info_directory}/measure/build_info.h
    -DVERSION=${PROJECT_VERSION}
    "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
    -DBUILD_TYPE=${CMAKE_BUILD_TYPE}
    -P ${CMAKE_CURRENT_LIST_FILE}
  BYPRODUCTS ${build_info_directory}/measure/build_info.h
  COMMENT "Looking up the git commit"
  VERBATIM)
add_dependencies(weft_measure weft_build_info)
target_include_directories(weft_measure BEFORE PRIVATE ${build_info_directory})
