"""The lab's certificates: authorities with the names of Apple's, and those of inspecting boxes.

Only names, extensions and the shape of the chains are Apple's; the keys are made here and thrown
away with the work folder. No capture needs a key to be read again.
"""

import pathlib

from network import run

# Markers that devices look for: in Apple's intermediate, and in the courier's own certificate.
MARKER_INTERMEDIATE = "1.2.840.113635.100.6.2.12"
MARKER_LEAF = "1.2.840.113635.100.6.27.5.2"

AUTHORITIES = {
    "apple-root": ("/C=US/O=Apple Inc./OU=Apple Certification Authority/CN=Apple Root CA", None),
    "apple-server": ("/C=US/O=Apple Inc./OU=Certification Authority"
                     "/CN=Apple Server Authentication CA", "apple-root"),
    "public-root": ("/C=GB/L=Salford/O=Comodo CA Limited/CN=AAA Certificate Services", None),
    "apple-public": ("/C=US/O=Apple Inc./CN=Apple Public Server RSA CA 12 - G1", "public-root"),
    "old-root": ("/C=US/O=GeoTrust Inc./CN=GeoTrust Global CA", None),
    "inspection": ("/C=DE/O=Example Campus/OU=IT Security/CN=Example Campus Inspection CA", None),
    "house-root": ("/C=DE/O=Example Lab/CN=Example Lab Root", None),
    "house-server": ("/C=DE/O=Example Lab/CN=Example Lab Push CA", "house-root"),
}
LEAVES = {
    "courier": ("/C=US/ST=California/O=Apple Inc./CN=courier.push.apple.com", "apple-server",
                ["courier.push.apple.com", "*.push.apple.com"]),
    "courier-public": ("/C=US/ST=California/O=Apple Inc./CN=courier.push.apple.com",
                       "apple-public", ["courier.push.apple.com", "*.push.apple.com"]),
    "bag": ("/C=US/ST=California/O=Apple Inc./CN=init.push.apple.com", "apple-server",
            ["init.push.apple.com"]),
    "provider": ("/C=US/ST=California/O=Apple Inc./CN=api.push.apple.com", "apple-public",
                 ["api.push.apple.com", "api.sandbox.push.apple.com"]),
    "website": ("/C=US/ST=California/O=Apple Inc./CN=www.apple.com", "apple-public",
                ["www.apple.com", "gdmf.apple.com"]),
    "house-courier": ("/C=DE/O=Example Lab/CN=courier.push.apple.com", "house-server",
                      ["courier.push.apple.com", "*.push.apple.com"]),
    "portal": ("/C=DE/O=Example Campus/CN=portal.campus.example", "house-server",
               ["portal.campus.example"]),
}


def authority_extensions(name):
    lines = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign",
             "subjectKeyIdentifier=hash"]
    if name == "apple-server":
        lines.append(f"{MARKER_INTERMEDIATE}=DER:0500")
    return "\n".join(lines)


def leaf_extensions(name, hosts):
    lines = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature",
             "extendedKeyUsage=serverAuth,clientAuth",
             "subjectAltName=" + ",".join("DNS:" + host for host in hosts)]
    if name in ("courier", "bag"):
        lines.append(f"{MARKER_LEAF}=DER:0500")
    return "\n".join(lines)


def issue(folder, name, subject, issuer, extensions, days):
    key, request = folder / f"{name}.key", folder / f"{name}.csr"
    certificate, file = folder / f"{name}.crt", folder / f"{name}.ext"
    file.write_text(extensions + "\n")
    run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key),
        "-out", str(request), "-subj", subject, "-sha256")
    signer = ["-signkey", str(key)] if issuer is None else [
        "-CA", str(folder / f"{issuer}.crt"), "-CAkey", str(folder / f"{issuer}.key"),
        "-CAcreateserial"]
    run("openssl", "x509", "-req", "-in", str(request), "-out", str(certificate), "-sha256",
        "-days", str(days), "-extfile", str(file), *signer)


class Certificates:
    """Made once for a work folder; files: NAME.key, NAME.crt, and NAME.pem with key and chain."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not (self.folder / "complete").exists():
            self.make()

    def make(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, (subject, issuer) in AUTHORITIES.items():
            issue(self.folder, name, subject, issuer, authority_extensions(name), 3650)
        for name, (subject, issuer, hosts) in LEAVES.items():
            issue(self.folder, name, subject, issuer, leaf_extensions(name, hosts), 390)
            parts = [self.folder / f"{name}.key", self.folder / f"{name}.crt",
                     self.folder / f"{issuer}.crt"]
            self.chain(name).write_text("".join(part.read_text() for part in parts))
        (self.folder / "complete").touch()

    def chain(self, leaf):
        return self.folder / f"{leaf}.pem"

    def certificate(self, name):
        return self.folder / f"{name}.crt"

    def key(self, name):
        return self.folder / f"{name}.key"
