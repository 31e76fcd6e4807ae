#!/usr/bin/env python3
"""Writes files as C++ byte arrays. Called by postern_embed() in PosternEmbed.cmake."""
import argparse
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--namespace", required=True)
parser.add_argument("--root", required=True)
parser.add_argument("--header", required=True)
parser.add_argument("--include", required=True)
parser.add_argument("--source", required=True)
parser.add_argument("files", nargs="*")
args = parser.parse_args()

header = pathlib.Path(args.header)
header.parent.mkdir(parents=True, exist_ok=True)
header.write_text(f"""#pragma once
#include "core/base/EmbeddedFile.h"
#include <span>
namespace {args.namespace} {{
std::span<const postern::EmbeddedFile> all();
const postern::EmbeddedFile* find(std::string_view path);
}}
""")

with open(args.source, "w") as out:
    out.write(f'#include "{args.include}"\nnamespace {{\n')
    files = sorted(args.files)
    for number, name in enumerate(files):
        data = (pathlib.Path(args.root) / name).read_bytes()
        out.write(f"const unsigned char data{number}[] = {{{','.join(map(str, data + bytes(1)))}}};\n")
    out.write("using postern::EmbeddedFile;\n")
    out.write("const EmbeddedFile files[] = {\n")
    for number, name in enumerate(files):
        size = (pathlib.Path(args.root) / name).stat().st_size
        out.write(f'  {{"{name}", {{reinterpret_cast<const char*>(data{number}), {size}}}}},\n')
    out.write("  {\"\", {}},\n};\n}\n")
    out.write(f"""namespace {args.namespace} {{
std::span<const EmbeddedFile> all() {{ return {{files, {len(files)}}}; }}
const EmbeddedFile* find(std::string_view path) {{
  for (const auto& file : all())
    if (file.path == path) return &file;
  return nullptr;
}}
}}
""")
