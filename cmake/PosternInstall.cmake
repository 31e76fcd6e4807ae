# What `cmake --install` puts where; debian/*.install divides it among the packages.
# All programs stand in one folder, since each finds the others beside itself; bin/postern is a link to its own there.
include(GNUInstallDirs)
install(TARGETS postern postern-gateway postern-listd postern-webadmin postern-policy DESTINATION lib/postern)
install(DIRECTORY DESTINATION ${CMAKE_INSTALL_BINDIR})
install(CODE "file(CREATE_LINK ../lib/postern/postern
                   \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/postern SYMBOLIC)")
install(DIRECTORY lua-policies/ DESTINATION share/postern/policies FILES_MATCHING PATTERN "*.lua")

file(GLOB units image/systemd/*)
install(FILES ${units} DESTINATION /lib/systemd/system)
install(FILES image/sysusers.d/postern.conf DESTINATION lib/sysusers.d)
install(FILES image/tmpfiles.d/postern.conf DESTINATION lib/tmpfiles.d)
