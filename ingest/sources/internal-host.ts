/** Addresses of this machine and of private networks, as they are written in an address. */
import { BlockList, isIP } from 'node:net'

const internal = new BlockList()
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  internal.addSubnet(address, prefix)
for (const [address, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  internal.addSubnet(address, prefix, 'ipv6')

/** `hostname` of a URL. A name without a dot is one of this network. A name that only resolves to such an address is not recognised. */
export function isInternalHost(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase()
  switch (isIP(name)) {
    case 4:
      return internal.check(name)
    case 6:
      return internal.check(name, 'ipv6')
    default:
      return !name.includes('.') || /\.(localhost|local|internal|lan|home\.arpa)$/.test(name)
  }
}
