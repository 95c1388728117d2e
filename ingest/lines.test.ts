import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Line, readLines } from './lines.ts'

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function linesOf(bytes: Uint8Array, chunkSize: number, maxBytes: number): Promise<Line[]> {
  const lines: Line[] = []
  for await (const batch of readLines(inChunks(bytes, chunkSize), maxBytes)) lines.push(...batch)
  return lines
}

describe('readLines', () => {
  it('finds the same lines however the bytes are cut', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '\n', '\n', '\r', ' '),
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 70 }), async (source, chunkSize) => {
        const bytes = Buffer.from(source)
        const expected = source
          .split('\n')
          .map((line, index) => ({ line, number: index + 1 }))
          .filter(({ line }) => !/^[ \r]*$/.test(line))
        const lines = await linesOf(bytes, chunkSize, 10)
        assert.deepEqual(
          lines.map(({ number }) => number),
          expected.map(({ number }) => number),
        )
        lines.forEach(({ bytes: found, end }, i) => {
          const line = Buffer.from(expected[i]?.line ?? '')
          assert.deepEqual(found && Buffer.from(found), line.length > 10 ? undefined : line)
          assert.ok(end === bytes.length || bytes[end - 1] === 0x0a)
        })
      }),
    )
  })

  it('holds little of a line that never ends', async () => {
    const chunk = Buffer.alloc(65_536, 'x')
    async function* endless() {
      for (let n = 0; n < 8_000; n++) yield Buffer.from(chunk)
      yield Buffer.from('\nshort')
    }
    const before = process.memoryUsage().rss
    let most = 0
    const lines: Line[] = []
    for await (const batch of readLines(endless(), 1_000_000)) {
      lines.push(...batch)
      most = Math.max(most, process.memoryUsage().rss)
    }
    assert.deepEqual(
      lines.map(({ number, bytes }) => [number, bytes && Buffer.from(bytes).toString()]),
      [
        [1, undefined],
        [2, 'short'],
      ],
    )
    assert.ok(most - before < 256e6, `${most - before} bytes more`)
  })
})
