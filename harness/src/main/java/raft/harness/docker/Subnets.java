package raft.harness.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Chooses a network of 254 addresses that nobody here uses: one of 10.77.0.0/16 to 10.92.0.0/16,
 * which ordinary networks seldom touch. Pure; the engine has the last word.
 */
final class Subnets {
    private static final int FIRST_BLOCK = 77;
    private static final int BLOCKS = 16;
    private static final int ROUTE_BITS_MIN = 16;

    private Subnets() {}

    /**
     * Up to {@code countMax} candidates that overlap none of {@code taken}, in an order that
     * depends on the run, so that runs that start together seldom want the same.
     */
    static List<String> candidates(String runId, Collection<String> taken, int countMax) {
        List<String> candidates = new ArrayList<>();
        int total = BLOCKS * 256;
        int start = Math.floorMod(runId.hashCode(), total);
        for (int i = 0; i < total && candidates.size() < countMax; i++) {
            int at = (start + i) % total;
            String subnet = "10." + (FIRST_BLOCK + at / 256) + "." + at % 256 + ".0/24";
            if (taken.stream().noneMatch(other -> overlap(subnet, other))) {
                candidates.add(subnet);
            }
        }
        return candidates;
    }

    /** Whether two networks in the form 10.1.2.0/24 share an address; false for other forms. */
    static boolean overlap(String a, String b) {
        long[] first = parse(a);
        long[] second = parse(b);
        if (first.length == 0 || second.length == 0) {
            return false;
        }
        int bits = (int) Math.min(first[1], second[1]);
        long mask = bits == 0 ? 0 : 0xffffffffL << (32 - bits) & 0xffffffffL;
        return (first[0] & mask) == (second[0] & mask);
    }

    /** Address and length of the prefix; empty when it is not an IPv4 network. */
    private static long[] parse(String network) {
        String[] parts = network.split("[./]", -1);
        if (parts.length != 5) {
            return new long[0];
        }
        try {
            long address = 0;
            for (int i = 0; i < 4; i++) {
                address = address << 8 | Integer.parseInt(parts[i]);
            }
            return new long[] {address, Integer.parseInt(parts[4])};
        } catch (NumberFormatException e) {
            return new long[0];
        }
    }

    /**
     * Networks that this machine has a way to; the engine does not look at them, and a bridge on
     * top of one would hide it. Wide ones (a VPN's 10.0.0.0/8) are left out: a small network inside
     * them hides little, and nothing would be left.
     */
    static List<String> routed() {
        try {
            return routes(Files.readString(Path.of("/proc/net/route")));
        } catch (IOException e) {
            return List.of(); // No Linux; the engine has a machine of its own there.
        }
    }

    /** The networks in the form of {@link #overlap} out of Linux' table of routes. */
    static List<String> routes(String table) {
        List<String> networks = new ArrayList<>();
        for (String line : table.lines().skip(1).toList()) {
            String[] fields = line.trim().split("\\s+", -1);
            if (fields.length < 8) {
                continue;
            }
            // In the byte order of the machine, which is little-endian everywhere.
            int address = Integer.reverseBytes(Integer.parseUnsignedInt(fields[1], 16));
            int bits = Integer.bitCount(Integer.parseUnsignedInt(fields[7], 16));
            if (bits >= ROUTE_BITS_MIN) {
                networks.add(
                        (address >>> 24)
                                + "."
                                + (address >>> 16 & 0xff)
                                + "."
                                + (address >>> 8 & 0xff)
                                + "."
                                + (address & 0xff)
                                + "/"
                                + bits);
            }
        }
        return networks;
    }

    /** The {@code last}-th address of a subnet that {@link #candidates} gave. */
    static String address(String subnet, int last) {
        return subnet.substring(0, subnet.lastIndexOf('.') + 1) + last;
    }

    /** The network of IPv6 that goes with one of IPv4: of the unique local addresses. */
    static String subnet6(String subnet) {
        return prefix6(subnet) + "/64";
    }

    /** The {@code last}-th address of {@link #subnet6}. */
    static String address6(String subnet, int last) {
        return prefix6(subnet) + Integer.toHexString(last);
    }

    private static String prefix6(String subnet) {
        String[] parts = subnet.substring(0, subnet.indexOf('/')).split("\\.", -1);
        return String.format(
                "fd72:6166:74:%02x%02x::", Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
    }

    /** Whether the engine refused a network because its addresses are in use. */
    static boolean isTaken(String reason) {
        String lower = reason.toLowerCase(Locale.ROOT);
        return lower.contains("overlap") || lower.contains("conflict");
    }
}
