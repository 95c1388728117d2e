/** What a client needs to reach the cluster, from the configuration. */
import { readFileSync } from 'node:fs'
import type { KafkaOptions } from '../../config-kafka.ts'
import { AppError, describeError } from '../../errors.ts'

export interface Connection {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly compression: 'none' | 'gzip'
  /** PEM texts; without `ca` those that Node.js trusts. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined
  readonly sasl:
    | {
        readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
        readonly username: string
        readonly password: string
      }
    | undefined
}

/** 'host:port'; an IPv6 address stands in brackets. */
const brokerAddress = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/

/** Throws `CONFIG` with every fault. */
export function connectionOf(options: KafkaOptions): Connection {
  const { brokers, clientId, compression, tls, sasl } = options
  const faults = [...brokers.flatMap(brokerFaults), ...tlsFaults(tls), ...saslFaults(sasl)]
  if (brokers.length === 0) faults.push('kafka.brokers names no broker')
  if (faults.length > 0) throw new AppError('CONFIG', `Invalid configuration: ${faults.join('; ')}`)
  const { mechanism, username, password } = sasl
  return {
    brokers,
    clientId,
    compression,
    tls: tls.enabled
      ? {
          ...pem('ca', 'kafka.tls.caFile', tls.caFile),
          ...pem('cert', 'kafka.tls.certFile', tls.certFile),
          ...pem('key', 'kafka.tls.keyFile', tls.keyFile),
        }
      : undefined,
    sasl: mechanism === 'none' ? undefined : { mechanism, username, password },
  }
}

function brokerFaults(broker: string): string[] {
  const port = Number(brokerAddress.exec(broker)?.[2] ?? 0)
  if (port > 0 && port < 65_536) return []
  return [`kafka.brokers: ${JSON.stringify(broker)} is not host:port`]
}

function tlsFaults(tls: KafkaOptions['tls']): string[] {
  const files = [tls.caFile, tls.certFile, tls.keyFile]
  if (!tls.enabled && files.some((file) => file !== ''))
    return ['kafka.tls names files, but kafka.tls.enabled is false']
  if ((tls.certFile === '') !== (tls.keyFile === ''))
    return ['kafka.tls.certFile and kafka.tls.keyFile go together']
  return []
}

function saslFaults({ mechanism, username, password }: KafkaOptions['sasl']): string[] {
  if (mechanism === 'none')
    return username === '' && password === ''
      ? []
      : ['kafka.sasl has a username or a password, but no mechanism']
  const missing = [
    ...(username === '' ? ['kafka.sasl.username'] : []),
    ...(password === '' ? ['kafka.sasl.password'] : []),
  ]
  return missing.map((option) => `kafka.sasl.mechanism is ${mechanism}, so ${option} must be set`)
}

function pem<K extends string>(field: K, option: string, file: string): { [F in K]?: string } {
  if (file === '') return {}
  try {
    return { [field]: readFileSync(file, 'utf8') } as { [F in K]?: string }
  } catch (cause) {
    throw new AppError('CONFIG', `${option}: cannot read ${file}: ${describeError(cause)}`, {
      cause,
    })
  }
}
