# The engines: only their C headers are needed to build, and an engine without them is left out; the libraries are
# opened at run time. scripts/deps.sh puts both under .deps.

set(LANERT_DEPS_DIR ${CMAKE_SOURCE_DIR}/.deps)

# lanert_engine(<engine> <header> <macro>): looks for the header under .deps, then where the system has its own.
function(lanert_engine name header macro)
  find_path(${macro}_INCLUDE_DIR ${header} HINTS ${LANERT_DEPS_DIR}/${name}/include PATH_SUFFIXES ${name})
  mark_as_advanced(${macro}_INCLUDE_DIR)
  if(${macro}_INCLUDE_DIR)
    target_include_directories(lanert_engine SYSTEM PRIVATE ${${macro}_INCLUDE_DIR})
    target_compile_definitions(lanert_engine PRIVATE LANERT_${macro})
  else()
    message(STATUS "${name}: left out, as ${header} was not found; scripts/deps.sh fetches it")
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/engine/engine_${name}.c PROPERTIES HEADER_FILE_ONLY ON)
  endif()
endfunction()

target_compile_definitions(lanert_engine PRIVATE LANERT_BUILD_DIR="${CMAKE_BINARY_DIR}"
                                                 LANERT_DEPS_DIR="${LANERT_DEPS_DIR}")
lanert_engine(onnxruntime onnxruntime_c_api.h ONNXRUNTIME)
lanert_engine(openvino openvino/c/openvino.h OPENVINO)
