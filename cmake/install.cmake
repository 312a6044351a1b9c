# make install: the library, its one header, the program, the engines, pkg-config and CMake package files.
include(CMakePackageConfigHelpers)

install(TARGETS lanert EXPORT lanert LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS lanert_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES include/lanert/lanert.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lanert)
install(FILES docs/lanert.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/lanert.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME lanert)
install(FILES completions/_lanert DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The engines' shared libraries and licences, as scripts/deps.sh unpacked them.
foreach(engine onnxruntime openvino)
  if(EXISTS ${CMAKE_SOURCE_DIR}/.deps/${engine}/lib)
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/.deps/${engine}/lib/ DESTINATION ${CMAKE_INSTALL_LIBDIR}/lanert/${engine}
            USE_SOURCE_PERMISSIONS)
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/.deps/${engine}/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/${engine}
            PATTERN include EXCLUDE PATTERN lib EXCLUDE PATTERN STAMP EXCLUDE)
  endif()
endforeach()

# The prefix is told from where the file lies, so that an installed tree may be moved.
file(RELATIVE_PATH PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/lanert.pc.in ${CMAKE_BINARY_DIR}/lanert.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/lanert.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/lanert)
configure_package_config_file(cmake/lanertConfig.cmake.in ${CMAKE_BINARY_DIR}/lanertConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/lanertConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/lanertConfig.cmake ${CMAKE_BINARY_DIR}/lanertConfigVersion.cmake
        DESTINATION ${package})
install(EXPORT lanert NAMESPACE lanert:: DESTINATION ${package})
