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
    file(GLOB sources ${CMAKE_SOURCE_DIR}/src/engine/engine_${name}*.c)
    set_source_files_properties(${sources} PROPERTIES HEADER_FILE_ONLY ON)
  endif()
endfunction()

target_compile_definitions(lanert_engine PRIVATE LANERT_BUILD_DIR="${CMAKE_BINARY_DIR}"
                                                 LANERT_DEPS_DIR="${LANERT_DEPS_DIR}")
lanert_engine(onnxruntime onnxruntime_c_api.h ONNXRUNTIME)
lanert_engine(openvino openvino/c/openvino.h OPENVINO)

# TensorRT's interface is C++, and each major release has its own: of each, where its headers are, a small library is
# made that has a C interface (src/engine/tensorrt_shim.h). CUDA's headers are needed with them.
find_path(CUDA_INCLUDE_DIR cuda_runtime_api.h HINTS ENV CUDA_PATH PATHS /usr/local/cuda/include PATH_SUFFIXES include)
find_path(TENSORRT_INCLUDE_DIR NvOnnxParser.h HINTS ${LANERT_DEPS_DIR}/tensorrt/include ENV TENSORRT_ROOT
          PATH_SUFFIXES include)
mark_as_advanced(CUDA_INCLUDE_DIR TENSORRT_INCLUDE_DIR)
set(LANERT_TENSORRT "" CACHE STRING "Folders of TensorRT's headers, one for each major release; found where not set")
set(headers ${LANERT_TENSORRT})
if(NOT headers AND TENSORRT_INCLUDE_DIR)
  set(headers ${TENSORRT_INCLUDE_DIR})
endif()
if(headers AND CUDA_INCLUDE_DIR)
  enable_language(CXX)
  set(CMAKE_CXX_STANDARD 17)
  set(CMAKE_CXX_EXTENSIONS OFF)
  foreach(folder ${headers})
    file(STRINGS ${folder}/NvInferVersion.h version REGEX "^#define (NV_TENSORRT_MAJOR|TRT_MAJOR_ENTERPRISE) +[0-9]+")
    string(REGEX MATCH "[0-9]+" major "${version}")
    add_library(lanert_tensorrt${major} MODULE src/engine/tensorrt_shim.cpp)
    target_include_directories(lanert_tensorrt${major} PRIVATE include src)
    target_include_directories(lanert_tensorrt${major} SYSTEM PRIVATE ${folder} ${CUDA_INCLUDE_DIR})
    target_compile_options(lanert_tensorrt${major} PRIVATE -fno-exceptions -fno-rtti)
    set_target_properties(lanert_tensorrt${major} PROPERTIES CXX_VISIBILITY_PRESET hidden
                          OUTPUT_NAME lanert_tensorrt SUFFIX .so.${major}
                          LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/engines/tensorrt)
    install(TARGETS lanert_tensorrt${major} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/lanert/tensorrt)
  endforeach()
else()
  message(STATUS "tensorrt: left out, as NvOnnxParser.h and cuda_runtime_api.h were not both found")
endif()
