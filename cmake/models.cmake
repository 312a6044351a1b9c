# The bundled model: as installed it is found from the library's own place, in a build folder where the sources are.
file(RELATIVE_PATH LIBDIR_TO_MODELS /${CMAKE_INSTALL_LIBDIR} /${CMAKE_INSTALL_DATADIR}/lanert/models)
target_compile_definitions(lanert_model PRIVATE LANERT_BUILD_DIR="${CMAKE_BINARY_DIR}"
                                                LANERT_MODELS_DIR="${CMAKE_SOURCE_DIR}/models"
                                                LANERT_LIBDIR_TO_MODELS="${LIBDIR_TO_MODELS}")
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/lanert/models)
