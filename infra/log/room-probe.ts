/** Whether a failed write failed for want of room: LMDB calls a write that was cut short an input/output error, whatever cut it. */
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const probeBytes = 4 * 1024 * 1024

/**
 * Writes a file that ends `probeBytes` above the size of the folder's data file, and removes it. Answers what the file system threw,
 * `undefined` when all went well.
 */
export function probeRoom(folder: string): unknown {
  const path = join(folder, 'room.probe')
  try {
    writeProbe(path, statSync(join(folder, 'data.mdb')).size)
    return undefined
  } catch (error) {
    return error
  } finally {
    rmSync(path, { force: true })
  }
}

function writeProbe(path: string, start: number): void {
  const file = openSync(path, 'w')
  try {
    const bytes = Buffer.alloc(probeBytes)
    let written = 0
    while (written < probeBytes)
      written += writeSync(file, bytes, written, probeBytes - written, start + written)
  } finally {
    closeSync(file)
  }
}
