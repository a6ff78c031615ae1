"""Runs a command in a network of its own, in which every address is this machine and nobody listens but the tests.

    unshare --net --mount python3 sealed.py <record> <command> [<argument>...]

Whatever is sent to anywhere but loopback, or to a name server wherever it is, becomes a line of JSON in <record> and is
refused at once: `{"what":"packet","protocol":"tcp","to":"203.0.113.1","port":443,"name":null}`, where `name` is what a
name server was asked for. Ends with the command's own exit code.

The names in real-hosts.txt are this machine as well, and any port may be listened on, so that a stand-in can be where
the provider itself would be.
"""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading

LOOPBACK = "lo"
ALL_PROTOCOLS = 0x0003
SYN, ACK = 0x02, 0x10
TCP, UDP = 6, 17
IPV4, IPV6 = 0x0800, 0x86DD

# Classic BPF, so that the kernel hands over nothing of what the tests say to each other, however much that is:
# (code, if true, if false, operand); a jump counts from the next line.
LOAD_WORD, LOAD_HALF, AND, IS, RETURN = 0x20, 0x28, 0x54, 0x15, 0x06
FILTER = [
    (LOAD_HALF, 0, 0, 12),
    (IS, 0, 5, IPV4),
    (LOAD_WORD, 0, 0, 30),
    (AND, 0, 0, 0xFF000000),
    (IS, 0, 13, 0x7F000000),
    (LOAD_HALF, 0, 0, 36),
    (IS, 11, 12, 53),
    (IS, 0, 11, IPV6),
    (LOAD_WORD, 0, 0, 38),
    (IS, 0, 8, 0),
    (LOAD_WORD, 0, 0, 42),
    (IS, 0, 6, 0),
    (LOAD_WORD, 0, 0, 46),
    (IS, 0, 4, 0),
    (LOAD_WORD, 0, 0, 50),
    (IS, 0, 2, 1),
    (LOAD_HALF, 0, 0, 56),
    (IS, 0, 1, 53),
    (RETURN, 0, 0, 0xFFFF),
    (RETURN, 0, 0, 0),
]


def main():
    record, *command = sys.argv[1:]
    start_loopback()
    name_hosts(record + ".hosts")
    for family in (socket.AF_INET, socket.AF_INET6):
        keep_everything(family)
    packets = open_listener()
    with open(record, "a", encoding="utf-8") as file:
        note = writer(file)
        note({"what": "sealed"})
        threading.Thread(target=watch, args=(packets, note), daemon=True).start()
        code = subprocess.run(command, preexec_fn=without_privileges, check=False).returncode
        # What was sent last is handed over a moment later.
        threading.Event().wait(0.1)
    return code if code >= 0 else 128 - code


def start_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", LOOPBACK.encode(), 0x41))


def name_hosts(path):
    """The providers' names, for this command and what it starts: a file system of one's own shows them another file."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "real-hosts.txt"), encoding="utf-8") as file:
        names = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    lines = ["127.0.0.1 localhost", "::1 localhost", *(f"127.0.0.1 {name}" for name in names)]
    if path.startswith("/dev/"):
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    libc = ctypes.CDLL(None, use_errno=True)
    # Nothing of it for others (MS_REC | MS_PRIVATE), then MS_BIND.
    for source, target, flags in ((b"none", b"/", 0x44000), (path.encode(), b"/etc/hosts", 0x1000)):
        if libc.mount(source, target, None, flags, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target.decode())
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as file:
        file.write("0")


def keep_everything(family):
    """A route by which every address is this machine's own: what is sent there can be seen, and is refused."""
    # RTM_NEWROUTE as acknowledged request that creates; of the local table, RTPROT_STATIC, of host scope, RTN_LOCAL.
    route = struct.pack("=BBBBBBBBI", family, 0, 0, 0, 255, 4, 254, 2, 0)
    # RTA_OIF
    route += struct.pack("=HHi", 8, 4, socket.if_nametoindex(LOOPBACK))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(route), 24, 0x405, 1, 0) + route)
        (error,) = struct.unpack_from("=i", netlink.recv(4096), 16)
    if error != 0 and family == socket.AF_INET:
        raise OSError(-error, os.strerror(-error))


def open_listener():
    lines = b"".join(struct.pack("=HBBI", *line) for line in FILTER)
    buffer = ctypes.create_string_buffer(lines)
    program = struct.pack("HxxxxxxP", len(FILTER), ctypes.addressof(buffer))
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    # SO_ATTACH_FILTER
    packets.setsockopt(socket.SOL_SOCKET, 26, program)
    packets.bind((LOOPBACK, 0))
    return packets


def watch(packets, note):
    while True:
        packet = read(packets.recv(65535))
        if packet is not None:
            note({"what": "packet", **packet})


def read(frame):
    """Whereto a packet goes; none for answers, and for the kernel's own messages."""
    if struct.unpack_from("!H", frame, 12)[0] == IPV4:
        protocol, at, to = frame[23], 14 + 4 * (frame[14] & 15), socket.inet_ntop(socket.AF_INET, frame[30:34])
    else:
        protocol, at, to = frame[20], 54, socket.inet_ntop(socket.AF_INET6, frame[38:54])
    if protocol not in (TCP, UDP):
        return None
    if protocol == TCP and frame[at + 13] & (SYN | ACK) != SYN:
        return None
    (port,) = struct.unpack_from("!H", frame, at + 2)
    name = asked_name(frame[at + 20 :]) if protocol == UDP and port == 53 else None
    return {"protocol": "tcp" if protocol == TCP else "udp", "to": to, "port": port, "name": name}


def asked_name(question):
    labels = []
    while question and 0 < question[0] < 64:
        labels.append(question[1 : question[0] + 1].decode("latin1"))
        question = question[question[0] + 1 :]
    return ".".join(labels)


def writer(file):
    lock = threading.Lock()
    seen = set()

    def note(line):
        text = json.dumps(line)
        with lock:
            # Loopback shows each packet twice, on its way out and on its way in.
            if text not in seen:
                seen.add(text)
                file.write(text + "\n")
                file.flush()

    return note


def without_privileges():
    """What setting up this network took is not for the command, where it did not have it before."""
    # PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL
    ctypes.CDLL(None).prctl(47, 4, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
