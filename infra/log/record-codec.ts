/**
 * A record as bytes: timestamp (float64), length of the key in bytes (uint32; 0xffffffff: no key), key, value. Big-endian.
 * The offset stands in the storage key.
 */
import type { LogRecord, NewRecord } from './log.ts'

const headerBytes = 12
const noKey = 0xffffffff

export function encodeRecord(record: NewRecord, timestamp: number): Buffer {
  const keyBytes = record.key === null ? 0 : Buffer.byteLength(record.key)
  const valueStart = headerBytes + keyBytes
  const bytes = Buffer.allocUnsafe(valueStart + valueBytes(record))
  bytes.writeDoubleBE(timestamp, 0)
  bytes.writeUInt32BE(record.key === null ? noKey : keyBytes, 8)
  if (record.key !== null) bytes.write(record.key, headerBytes)
  if (typeof record.value === 'string') bytes.write(record.value, valueStart)
  else bytes.set(record.value, valueStart)
  return bytes
}

/** The record's value is a view of `bytes`, not a copy. */
export function decodeRecord(bytes: Buffer, offset: number): LogRecord {
  const keyLength = bytes.readUInt32BE(8)
  const valueStart = headerBytes + (keyLength === noKey ? 0 : keyLength)
  return {
    offset,
    timestamp: timestampOf(bytes),
    key: keyLength === noKey ? null : bytes.toString('utf8', headerBytes, valueStart),
    value: bytes.subarray(valueStart),
  }
}

export function timestampOf(bytes: Buffer): number {
  return bytes.readDoubleBE(0)
}

/** What the record will take in storage: what retention and batches count. */
export function encodedBytes(record: NewRecord): number {
  return headerBytes + Buffer.byteLength(record.key ?? '') + valueBytes(record)
}

function valueBytes(record: NewRecord): number {
  return Buffer.byteLength(record.value)
}
