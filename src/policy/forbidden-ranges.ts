export type ForbiddenRange = { cidr: string; name: string; source: string };

/**
 * Addresses nobody may be sent to, first match names the refusal. From the IANA special-purpose registries
 * (https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry), also where
 * a block is globally reachable: none of them is where a named web service lives. Metadata services come first so that they are named.
 * The IPv4 documentation blocks (RFC 5737) are left out: nothing of a host or its network is reached by them, and closed build
 * networks answer with them for the public services they relay.
 */
export const forbiddenIpv4: readonly ForbiddenRange[] = [
  { cidr: '169.254.169.254/32', name: 'metadata', source: 'AWS, Azure, Google Cloud and most others' },
  { cidr: '169.254.170.2/32', name: 'metadata', source: 'AWS ECS task credentials' },
  { cidr: '169.254.170.23/32', name: 'metadata', source: 'AWS EKS pod identity' },
  { cidr: '100.100.100.200/32', name: 'metadata', source: 'Alibaba Cloud' },
  { cidr: '168.63.129.16/32', name: 'metadata', source: 'Azure wire server: a public address by its number, answered by every Azure host' },
  { cidr: '192.0.0.192/32', name: 'metadata', source: 'Oracle Cloud Classic' },
  { cidr: '0.0.0.0/32', name: 'unspecified', source: 'RFC 1122 section 3.2.1.3; Linux dials itself' },
  { cidr: '0.0.0.0/8', name: 'this-network', source: 'RFC 791 section 3.2' },
  { cidr: '10.0.0.0/8', name: 'private', source: 'RFC 1918' },
  { cidr: '100.64.0.0/10', name: 'carrier-grade-nat', source: 'RFC 6598' },
  { cidr: '127.0.0.0/8', name: 'loopback', source: 'RFC 1122 section 3.2.1.3' },
  { cidr: '169.254.0.0/16', name: 'link-local', source: 'RFC 3927' },
  { cidr: '172.16.0.0/12', name: 'private', source: 'RFC 1918' },
  { cidr: '192.0.0.0/24', name: 'protocol-assignments', source: 'RFC 6890 section 2.1' },
  { cidr: '192.31.196.0/24', name: 'as112', source: 'RFC 7535' },
  { cidr: '192.52.193.0/24', name: 'amt', source: 'RFC 7450' },
  { cidr: '192.88.99.0/24', name: '6to4-relay', source: 'RFC 7526, deprecated' },
  { cidr: '192.168.0.0/16', name: 'private', source: 'RFC 1918' },
  { cidr: '192.175.48.0/24', name: 'as112', source: 'RFC 7534' },
  { cidr: '198.18.0.0/15', name: 'benchmarking', source: 'RFC 2544; the sandbox has its own names there' },
  { cidr: '224.0.0.0/4', name: 'multicast', source: 'RFC 5771' },
  { cidr: '255.255.255.255/32', name: 'broadcast', source: 'RFC 919 section 7' },
  { cidr: '240.0.0.0/4', name: 'reserved', source: 'RFC 1112 section 4' },
];

/** Everything outside 2000::/3 is forbidden in any case: the rows below give it a name. */
export const forbiddenIpv6: readonly ForbiddenRange[] = [
  { cidr: 'fd00:ec2::254/128', name: 'metadata', source: 'AWS' },
  { cidr: 'fd00:ec2::23/128', name: 'metadata', source: 'AWS EKS pod identity' },
  { cidr: 'fd20:ce::254/128', name: 'metadata', source: 'Google Cloud' },
  { cidr: '::/128', name: 'unspecified', source: 'RFC 4291 section 2.5.2; Linux dials itself' },
  { cidr: '::1/128', name: 'loopback', source: 'RFC 4291 section 2.5.3' },
  { cidr: '::/96', name: 'ipv4-compatible', source: 'RFC 4291 section 2.5.5.1, deprecated' },
  { cidr: '::ffff:0:0:0/96', name: 'ipv4-translated', source: 'RFC 2765 section 2.1, obsolete' },
  { cidr: '64:ff9b:1::/48', name: 'local-nat64', source: 'RFC 8215: where the IPv4 address stands is the operator\'s choice' },
  { cidr: '100::/64', name: 'discard', source: 'RFC 6666' },
  { cidr: '100:0:0:1::/64', name: 'dummy-prefix', source: 'RFC 9780' },
  { cidr: '2001::/32', name: 'teredo', source: 'RFC 4380: a tunnel to the IPv4 address inside' },
  { cidr: '2001:2::/48', name: 'benchmarking', source: 'RFC 5180' },
  { cidr: '2001:10::/28', name: 'orchid', source: 'RFC 4843, deprecated' },
  { cidr: '2001:20::/28', name: 'orchid', source: 'RFC 7343' },
  { cidr: '2001::/23', name: 'protocol-assignments', source: 'RFC 2928' },
  { cidr: '2001:db8::/32', name: 'documentation', source: 'RFC 3849' },
  { cidr: '2002::/16', name: '6to4', source: 'RFC 3056, RFC 7526: a tunnel to the IPv4 address inside' },
  { cidr: '2620:4f:8000::/48', name: 'as112', source: 'RFC 7534' },
  { cidr: '3fff::/20', name: 'documentation', source: 'RFC 9637' },
  { cidr: '5f00::/16', name: 'srv6', source: 'RFC 9602' },
  { cidr: 'fc00::/7', name: 'unique-local', source: 'RFC 4193' },
  { cidr: 'fe80::/10', name: 'link-local', source: 'RFC 4291 section 2.5.6' },
  { cidr: 'fec0::/10', name: 'site-local', source: 'RFC 3879, deprecated' },
  { cidr: 'ff00::/8', name: 'multicast', source: 'RFC 4291 section 2.7' },
];
