# SPDX-License-Identifier: GPL-2.0-only
"""
A second reader of images and CoRIMs, for reference.sh. It shares nothing with the command: it reads
images by the offsets of docs/firmware.md, and CBOR by python3-cbor2.

	reference.py values IMAGE...		JSON that `reference --json` must print, as far as it
						follows from the images
	reference.py corim FILE IMAGE...	prints what is wrong with an unsigned CoRIM of the images
	reference.py signed FILE DIR IMAGE...	the same of a signed one; leaves payload, what was signed
						and the signature as OpenSSL wants it in DIR
"""
import hashlib
import json
import os
import struct
import sys

import cbor2

PROFILE = "2.16.840.1.113741.1.16.1"


def pages(path):
    """Return sigstruct and module pages of a container."""
    with open(path, "rb") as file:
        blob = file.read()
    if blob[4:12] == b"TDX-BLOB":
        sigstruct, module = struct.unpack_from("<II", blob, 12)
        begin = 4096 * (1 + sigstruct)
        return blob[4096:], blob[begin:begin + 4096 * module]
    assert blob[8:16] == b"TDX-BLOB"
    begin, = struct.unpack_from("<I", blob, 4)
    return blob[4096:begin], blob[begin:]


def values(path):
    sig, module = pages(path)
    seamhash = sig[900:948]
    assert hashlib.sha384(module).digest() == seamhash
    minor, major = sig[948], sig[949]
    hv, least_hv = struct.unpack_from("<HH", sig, 984)
    handoff_pages, = struct.unpack_from("<H", sig, 990)
    update, least, most, build = struct.unpack_from("<HBBH", sig, 1000)
    date, = struct.unpack_from("<I", sig, 20)
    count, = struct.unpack_from("<I", sig, 1024)
    models = []
    for eax in struct.unpack_from("<%dI" % count, sig, 1028):
        family, model = eax >> 8 & 15, eax >> 4 & 15
        assert family in (6, 15)
        models.append({"family": family if family == 6 else 15 + (eax >> 20 & 255),
                       "model": (eax >> 16 & 15) * 16 + model, "stepping": eax & 15})
    return {
        "file": path,
        "version": "%d.%d.%02d" % (most, least, update) if most else None,
        "built": "%04x-%02x-%02x" % (date >> 16, date >> 8 & 255, date & 255),
        "build": build,
        "svn": "%d.%d" % (major, minor),
        "mrseam": seamhash.hex(),
        "mrsignerseam": "00" * 48,
        "seam_attributes": "00" * 8,
        "tee_tcb_svn": "%02x%02x" % (minor, major) + "00" * 14,
        "tee_tcb_svn_mask": "ffff" + "00" * 14,
        "tcb_identity": "TDX_%02X" % major,
        "isvsvn": minor,
        "cpu_models": models,
        "module_hv": hv,
        "min_update_hv": least_hv,
        "num_handoff_pages": handoff_pages,
        "signer_sha384": hashlib.sha384(sig[128:512]).hexdigest(),
    }


def triple(path):
    """The reference triple that an image must have."""
    sig, _ = pages(path)
    return [
        {0: {1: "Intel Corporation", 2: "TDX SEAM"}},
        [{1: {
            -73: cbor2.CBORTag(60010, [2, sig[948]]),
            -82: bytes(8),
            -83: [[7, sig[900:948]]],
            -84: [[7, bytes(48)]],
        }}],
    ]


def oid(text):
    numbers = [int(number) for number in text.split(".")]
    out = bytes([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        part = [number & 127]
        while number := number >> 7:
            part.insert(0, number & 127 | 128)
        out += bytes(part)
    return out


def decode(data):
    """Decode one item, which has to be the whole, and in its only deterministic encoding."""
    item = cbor2.loads(data)
    if cbor2.dumps(item, canonical=True) != data:
        print("the encoding is not deterministic, or something follows")
    return item


def expect(what, expected, seen):
    if expected != seen:
        print("%s: expected %r, saw %r" % (what, expected, seen))


def is_uuid(what, data):
    expect(what + ": type, size, version, variant", (bytes, 16, 8, 2),
           (type(data), len(data), data[6] >> 4, data[8] >> 6))


def check_corim(data, images):
    corim = decode(data)
    expect("tag of a CoRIM", 501, corim.tag)
    expect("members of a CoRIM", {0, 1, 3}, set(corim.value))
    is_uuid("id", corim.value[0])
    profile = corim.value[3]
    expect("profile", (111, oid(PROFILE)), (profile.tag, profile.value))
    expect("tags", [506], [tag.tag for tag in corim.value[1]])
    comid = decode(corim.value[1][0].value)
    expect("members of a CoMID", {1, 4}, set(comid))
    expect("members of a tag's identity", {0}, set(comid[1]))
    is_uuid("tag-id", comid[1][0])
    wanted = []
    for image in images:
        if triple(image) not in wanted:
            wanted.append(triple(image))
    expect("triples", {0: wanted}, comid[4])


def der(number):
    data = number.lstrip(b"\0")
    if data[0] & 128:
        data = b"\0" + data
    return b"\x02" + bytes([len(data)]) + data


def check_signed(data, out, images):
    message = decode(data)
    expect("tag of a signed CoRIM", 18, message.tag)
    protected, unprotected, payload, signature = message.value
    expect("unprotected header", {}, unprotected)
    check_corim(payload, images)
    header = decode(protected)
    expect("members of the header", {1, 3, 4, 8}, set(header))
    size = {-7: 32, -35: 48}[header[1]]
    expect("content type", "application/rim+cbor", header[3])
    expect("corim-meta", {0: {0: "sha256:" + header[4].hex()}}, decode(header[8]))
    expect("size of the signature", 2 * size, len(signature))
    numbers = der(signature[:size]) + der(signature[size:])
    files = {
        "payload": payload,
        "signed-part": cbor2.dumps(["Signature1", protected, b"", payload]),
        "signature": b"\x30" + bytes([len(numbers)]) + numbers,
        "kid": header[4].hex().encode(),
        "alg": str(header[1]).encode(),
    }
    for name, contents in files.items():
        with open(os.path.join(out, name), "wb") as file:
            file.write(contents)


def read(path):
    with open(path, "rb") as file:
        return file.read()


command, arguments = sys.argv[1], sys.argv[2:]
if command == "values":
    print(json.dumps([values(path) for path in arguments]))
elif command == "corim":
    check_corim(read(arguments[0]), arguments[1:])
elif command == "signed":
    check_signed(read(arguments[0]), arguments[1], arguments[2:])
