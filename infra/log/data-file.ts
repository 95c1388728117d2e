/**
 * A look at LMDB's data file before LMDB maps it: lmdb 3.5.6 dies of a segmentation fault on a file that it did not write or that
 * was cut short, for example by a disk that was full when the file was created.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../errors.ts'

/** Of a page with the environment's state, of which the first two of the file are copies. See MDB_meta in LMDB's mdb.c. */
const meta = { magicAt: 24, magic: 0xbeefc0de, pageSizeAt: 48, bytes: 52 } as const

/** Throws `DATA_FOLDER` when the folder has a data file that LMDB must not open, and what the file system throws. */
export function checkDataFile(folder: string): void {
  const file = openIfThere(join(folder, 'data.mdb'))
  if (file === undefined) return
  try {
    const { size } = fstatSync(file)
    if (size === 0) return
    const pageSize = readMeta(file, 0)
    if (pageSize !== undefined && size >= 2 * pageSize && readMeta(file, pageSize) === pageSize)
      return
  } finally {
    closeSync(file)
  }
  throw new AppError(
    'DATA_FOLDER',
    `The file data.mdb in ${folder} is damaged, or not a log: move it away, and restore a copy or start anew`,
  )
}

/** The page size that the page at `position` states; `undefined` when it is none of LMDB's. */
function readMeta(file: number, position: number): number | undefined {
  const page = Buffer.alloc(meta.bytes)
  if (readSync(file, page, 0, meta.bytes, position) < meta.bytes) return undefined
  const read = (at: number): number =>
    endianness() === 'LE' ? page.readUInt32LE(at) : page.readUInt32BE(at)
  return read(meta.magicAt) === meta.magic ? read(meta.pageSizeAt) : undefined
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
