#!/usr/bin/python3
"""Writes an OCI image of one layer as an archive (oci-archive): the same root gives the same bytes.

Format: https://github.com/opencontainers/image-spec, version 1.0: blobs named by their SHA-256, an index, a manifest.
"""
import argparse
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import platform
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def settings(version):
    """How the image is run unless it is said otherwise: all processes, as nobody but `postern`."""
    return {"User": "postern", "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "POSTERN_DATA=/srv/postern"],
            "Entrypoint": ["/usr/bin/postern"], "Cmd": ["run"], "WorkingDir": "/srv/postern", "StopSignal": "SIGTERM",
            "ExposedPorts": {"25/tcp": {}, "465/tcp": {}, "443/tcp": {}}, "Volumes": {"/srv/postern": {}},
            "Labels": {"org.opencontainers.image.title": "Postern", "org.opencontainers.image.version": version,
                       "org.opencontainers.image.licenses": "Apache-2.0"}}


class Layout:
    def __init__(self, epoch):
        self.epoch = epoch
        self.blobs = {}

    def add(self, content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}",
                "size": len(content)}

    def add_json(self, value, media_type):
        return self.add(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), media_type)

    def write(self, path, index):
        files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}
        files.update({f"blobs/sha256/{digest}": content for digest, content in self.blobs.items()})
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
            for name in ["blobs", "blobs/sha256"]:
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, self.epoch
                archive.addfile(entry)
            for name, content in sorted(files.items()):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = len(content), 0o644, self.epoch
                archive.addfile(entry, io.BytesIO(content))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True, type=pathlib.Path, help="tar of the root")
    parser.add_argument("--version", required=True)
    parser.add_argument("--epoch", required=True, type=int, help="time that the image says it was made at")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    given = parser.parse_args()

    created = datetime.datetime.fromtimestamp(given.epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    architecture = ARCHITECTURES[platform.machine()]
    root = given.root.read_bytes()
    layout = Layout(given.epoch)
    layer = layout.add(gzip.compress(root, 6, mtime=0), "layer.v1.tar+gzip")
    config = layout.add_json(
        {"created": created, "architecture": architecture, "os": "linux", "config": settings(given.version),
         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(root).hexdigest()]},
         "history": [{"created": created, "created_by": "tools/oci"}]}, "config.v1+json")
    manifest = layout.add_json({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                                "config": config, "layers": [layer]}, "manifest.v1+json")
    manifest["platform"] = {"architecture": architecture, "os": "linux"}
    manifest["annotations"] = {"org.opencontainers.image.ref.name": given.version}
    layout.write(given.out, {"schemaVersion": 2, "manifests": [manifest]})


main()
