# postern_embed(<target> NAMESPACE <ns> HEADER <include path> ROOT <folder> FILES <paths below ROOT...>)
# Turns files into object code: `const postern::EmbeddedFile* <ns>::find(std::string_view path)`
# and `std::span<const postern::EmbeddedFile> <ns>::all()`, sorted by path.
function(postern_embed target)
  cmake_parse_arguments(EMBED "" "NAMESPACE;HEADER;ROOT" "FILES" ${ARGN})
  set(header ${CMAKE_BINARY_DIR}/generated/${EMBED_HEADER})
  string(REGEX REPLACE "\\.h$" ".cpp" source ${header})
  list(TRANSFORM EMBED_FILES PREPEND ${EMBED_ROOT}/ OUTPUT_VARIABLE inputs)
  add_custom_command(
    OUTPUT ${header} ${source}
    COMMAND python3 ${CMAKE_SOURCE_DIR}/cmake/embed.py --namespace ${EMBED_NAMESPACE} --root ${EMBED_ROOT}
            --header ${header} --include ${EMBED_HEADER} --source ${source} ${EMBED_FILES}
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/cmake/embed.py
    COMMENT "Embedding ${EMBED_NAMESPACE}"
    VERBATIM)
  target_sources(${target} PRIVATE ${header} ${source})
  set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
