/** Decompression of what other programs send; gzip kafkajs knows by itself. */
import { decompress as unzstd } from 'fzstd'
import { decompressFrame } from 'lz4-napi'
import { uncompress } from 'snappy'
import { AppError, describeError } from '../../errors.ts'

/** The frame that Java clients put around snappy's blocks: a head of 16 bytes, then each block behind its length. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const xerialHeadBytes = 16

export type Decompress = (compressed: Buffer) => Promise<Buffer>

export const decompressors: Readonly<Record<'snappy' | 'lz4' | 'zstd', Decompress>> = {
  snappy: told('snappy', async (compressed) => {
    if (!compressed.subarray(0, xerialMagic.length).equals(xerialMagic)) return block(compressed)
    const blocks: Buffer[] = []
    for (let at = xerialHeadBytes; at < compressed.length; ) {
      const start = at + 4
      const end = start + compressed.readUInt32BE(at)
      blocks.push(await block(compressed.subarray(start, end)))
      at = end
    }
    return Buffer.concat(blocks)
  }),
  lz4: told('lz4', (compressed) => decompressFrame(compressed)),
  zstd: told('zstd', async (compressed) => Buffer.from(unzstd(compressed))),
}

const block = async (compressed: Buffer): Promise<Buffer> =>
  Buffer.from(await uncompress(compressed, { asBuffer: true }))

/** A batch that cannot be read stays where it is: its partition is tried again and again, and this says why. */
function told(codec: string, decompress: Decompress): Decompress {
  return async (compressed) => {
    try {
      return await decompress(compressed)
    } catch (cause) {
      const message = `A batch compressed with ${codec} cannot be read: ${describeError(cause)}`
      throw new AppError('LOG', message, { retryable: true, cause })
    }
  }
}
