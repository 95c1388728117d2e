/**
 * Asks the file system for room by taking some. LMDB needs it asked: it calls a write that was cut short an input/output error,
 * whatever cut it, and dies of a segmentation fault when a full disk has no room for its lock file.
 */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes a file that ends `bytes` above `start`, and removes it. Answers what the file system threw, `undefined` when all went
 * well.
 */
export function probeRoom(folder: string, bytes: number, start = 0): unknown {
  const path = join(folder, 'room.probe')
  try {
    writeProbe(path, bytes, start)
    return undefined
  } catch (error) {
    return error
  } finally {
    rmSync(path, { force: true })
  }
}

function writeProbe(path: string, bytes: number, start: number): void {
  const file = openSync(path, 'w')
  try {
    const content = Buffer.alloc(bytes)
    let written = 0
    while (written < bytes)
      written += writeSync(file, content, written, bytes - written, start + written)
  } finally {
    closeSync(file)
  }
}
