import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { Value } from 'typebox/value'
import { packageRoot } from '../infra/package-root.ts'
import { WeightsFile } from '../pipeline/allocator/weights-file.ts'

const mainFile = join(packageRoot, 'dist/cli/main.js')

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tickertone-fit-'))
})
after(() => rm(folder, { recursive: true }))

/** Runs the command line in a process of its own; without an encoder, which the same code asks. */
async function run(args: readonly string[], input = '', env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [mainFile, ...args], {
    env: { PIPELINE_EXPERTS: 'linear,lexicon', ...env },
    cwd: folder,
  })
  child.stdin.on('error', () => undefined) // It need not read what it does not want.
  child.stdin.end(input)
  const [[code], out, err] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, out, err }
}

const says = [
  { words: 'wins a great order and soars', sentiment: 'positive' },
  { words: 'loses its best customer, a horrible crash', sentiment: 'negative' },
  { words: 'holds its meeting on a Tuesday', sentiment: 'neutral' },
]
/** Enough words of its own for a text to be no near-duplicate. */
const own = (i: number) => 'abcdefghijkl'.replace(/./g, (letter) => `${letter}${i} `)
const comments = Array.from({ length: 24 }, (_, i) =>
  says.map(({ words, sentiment }, j) => ({
    text: `${words} ${own(3 * i + j)}`,
    sentiment,
    kind: 'comment',
  })),
).flat()
const ndjson = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

describe('tickertone fit', () => {
  it('writes weights with their figures, which evaluate then serves', async () => {
    const input = ndjson(comments)
    const fitted = await run(
      ['fit', '-', '--method', 'stacking', '--task', 'sentiment', '--out', 'w.json'],
      input,
    )
    assert.deepEqual([fitted.code, fitted.err], [0, ''])
    assert.match(fitted.out, /^sentiment, comment: 72 rows in 72 clusters/)
    assert.match(fitted.out, /fitted \(stacking\)\s+average as configured\s+best expert \(\w+\)/)
    assert.match(fitted.out, /ALLOCATOR_WEIGHTS_FILE=w\.json ALLOCATOR_FUSION=stacking uses it/)
    const document = Value.Parse(
      WeightsFile,
      JSON.parse(await readFile(join(folder, 'w.json'), 'utf8')),
    )
    assert.equal(document.command, 'tickertone fit - --method stacking --task sentiment')
    assert.deepEqual(Object.keys(document.experts), ['linear', 'lexicon'])
    assert.deepEqual(document.data.rows, 72)
    assert.deepEqual(await readdir(folder), ['w.json'])
    const served = await run(['evaluate', '-', '--task', 'sentiment', '--json'], input, {
      ALLOCATOR_WEIGHTS_FILE: 'w.json',
      ALLOCATOR_FUSION: 'stacking',
    })
    assert.equal(served.code, 0)
    const { fused, experts } = JSON.parse(served.out)
    for (const expert of ['linear', 'lexicon'])
      assert.ok(fused.logLoss < experts[expert].logLoss, served.out)
  })

  const nothing = [
    {
      name: 'bad rows',
      input: '{"text": "Up", "sentiment": 2}\n',
      expected: /^-:1: sentiment: must be one of .*\ntickertone: nothing was fitted; --skip-bad/,
    },
    {
      name: 'few rows',
      input: ndjson(comments.slice(0, 9)),
      expected:
        /^tickertone: sentiment of comment: \d different texts, fewer than 50; .*\ntickertone: - has too few/,
    },
  ]
  for (const { name, input, expected } of nothing)
    it(`fits nothing on ${name}, and ends with 1`, async () => {
      const { code, out, err } = await run(['fit', '-', '--method', 'cv'], input)
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, expected)
      assert.ok(!(await readdir(folder)).includes('tickertone-weights.json'))
    })

  it('finds out that it cannot write before it reads', async () => {
    const { code, out, err } = await run(['fit', '-', '--method', 'cv', '--out', '/nowhere/w.json'])
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /Cannot write \/nowhere\/w\.json: ENOENT/)
  })
})
