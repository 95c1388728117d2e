import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { Value } from 'typebox/value'
import { packageRoot } from '../infra/package-root.ts'
import { EvaluationDocument } from '../pipeline/evaluation/document.ts'

const mainFile = join(packageRoot, 'dist/cli/main.js')

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tickertone-evaluate-'))
})
after(() => rm(folder, { recursive: true }))

/** Runs the command line in a process of its own; without an encoder, which the same code asks. */
async function run(args: readonly string[], input = '') {
  const child = spawn(process.execPath, [mainFile, 'evaluate', ...args], {
    env: { PIPELINE_EXPERTS: 'linear,lexicon' },
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

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

const rows = [
  { text: 'Shares soar to a record after a great quarter', sentiment: 'positive' },
  { text: 'The company files for bankruptcy, the stock crashes', sentiment: 'Negative' },
  { text: 'The board meets on Tuesday', sentiment: 'NEUTRAL', kind: 'news' },
  { text: 'I love this stock, great gains ahead', sentiment: 'positive', kind: 'Comment' },
  { text: 'Horrible losses, worst stock ever', sentiment: 'negative', kind: 'comment' },
].map((row) => JSON.stringify(row))

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

describe('tickertone evaluate', () => {
  it('takes a file from Windows, and prints JSON that holds together', async () => {
    const path = await file('windows.ndjson', `\ufeff${rows.join('\r\n\r\n')}\r\n`)
    const { code, out, err } = await run([path, '--task', 'sentiment', '--json'])
    assert.deepEqual([code, err], [0, ''])
    const document = Value.Parse(EvaluationDocument, JSON.parse(out))
    assert.deepEqual(Object.keys(document.experts), ['linear', 'lexicon'])
    assert.deepEqual(document.rows, { judged: 5, unlabelled: 0, bad: 0, otherLanguage: 0 })
    for (const judge of [document.fused, ...Object.values(document.experts)]) {
      assert.deepEqual([judge.kinds.news?.rows, judge.kinds.comment?.rows], [3, 2])
      for (const figures of [judge, ...Object.values(judge.kinds)]) {
        const right = figures.confusion.map((answers, truth) => answers[truth] ?? 0)
        assert.equal(sum(figures.confusion.flat()), figures.rows)
        assert.equal(sum(figures.reliability.map((bin) => bin.rows)), figures.rows)
        assert.equal(figures.accuracy, sum(right) / figures.rows)
      }
    }
    assert.equal(document.experts.lexicon?.kinds.comment?.accuracy, 1)
  })

  it('prints the same as text, from standard input', async () => {
    const input = rows.join('\n')
    const args = ['-', '--task', 'sentiment', '--experts', 'lexicon']
    const [plain, json] = await Promise.all([run(args, input), run([...args, '--json'], input)])
    assert.deepEqual([plain.code, plain.err, json.code], [0, '', 0])
    const { fused, experts } = JSON.parse(json.out)
    assert.deepEqual(Object.keys(experts), ['lexicon'])
    // Alone, an expert is its own fusion but for the temperature: it never changes the likeliest label.
    assert.equal(fused.accuracy, experts.lexicon.accuracy)
    const interval = fused.intervals.accuracy.map((value: number) => value.toFixed(3)).join(', ')
    const cell = `${fused.accuracy.toFixed(3)} [${interval}]`
    assert.ok(plain.out.includes(`accuracy     ${cell}  ${cell}`), plain.out)
  })

  it('names every bad row and its reason, measures nothing, and ends with 1', async () => {
    const bad = [
      '{"text": "Up", "sentiment": ',
      '{"text": "Up", "sentiment": 2}',
      '{"text": "Up", "sentiment": "great\\u001b[31m"}',
      '{"text": "Up", "sentiment": "positive", "kind": "rumour"}',
      '{"sentiment": "positive"}',
      '["positive"]',
    ]
    const path = await file('bad.ndjson', [...rows, '', ...bad, '{"text": "no label"}'].join('\n'))
    const { code, out, err } = await run([path, '--task', 'sentiment'])
    assert.deepEqual([code, out], [1, ''])
    const names = 'must be one of negative, neutral, positive'
    assert.deepEqual(err.trimEnd().split('\n'), [
      `${path}:7: not valid JSON`,
      `${path}:8: sentiment: ${names}; a number does not say which`,
      `${path}:9: sentiment: ${names}`,
      `${path}:10: kind: must be one of news, comment`,
      `${path}:11: text: missing`,
      `${path}:12: a row must be a JSON object`,
      'tickertone: nothing was measured; --skip-bad leaves bad rows out',
    ])
    const skipped = await run([path, '--task', 'sentiment', '--skip-bad', '--json'])
    assert.equal(skipped.code, 0)
    const document = JSON.parse(skipped.out)
    assert.deepEqual(document.rows, { judged: 5, unlabelled: 1, bad: 6, otherLanguage: 0 })
    assert.equal(document.badRows.length, 6)
  })

  it('judges topics by the experts that know them', async () => {
    const row = '{"text": "Fed raises rates again", "topic": "fed | central banks"}'
    const { code, out } = await run(['-', '--task', 'topic', '--json', '--kind', 'comment'], row)
    assert.equal(code, 0)
    const { experts, fused } = JSON.parse(out)
    assert.deepEqual(Object.keys(experts), ['linear'])
    assert.deepEqual([Object.keys(fused.kinds), fused.accuracy], [['comment'], 1])
  })

  const nothing = [
    { name: 'an empty file', input: '' },
    { name: 'blank lines', input: '\n \r\n' },
    { name: 'rows of another task', input: '{"text": "Up", "topic": "IPO"}\n' },
  ]
  for (const { name, input } of nothing)
    it(`has nothing to say of ${name}`, async () => {
      const { code, out, err } = await run(['-', '--task', 'sentiment', '--json'], input)
      assert.deepEqual([code, out], [1, ''])
      assert.equal(err, 'tickertone: - has no row with a sentiment to compare with\n')
    })

  const misuse = [
    { name: 'a missing file', args: ['/nowhere.ndjson', '--task', 'topic'], expected: /ENOENT/ },
    { name: 'a folder', args: ['/', '--task', 'topic'], expected: /is not a file/ },
    { name: 'no task', args: ['-'], expected: /required option '--task <task>'/ },
    { name: 'an unknown task', args: ['-', '--task', 'tone'], expected: /sentiment, topic/ },
    {
      name: 'an unknown expert',
      args: ['-', '--task', 'topic', '--experts', 'oracle'],
      expected: /PIPELINE_EXPERTS/,
    },
    {
      name: 'only experts that do not judge the task',
      args: ['-', '--task', 'topic', '--experts', 'lexicon'],
      expected: /lexicon: none of these judges topic/,
    },
  ]
  for (const { name, args, expected } of misuse)
    it(`refuses ${name}`, async () => {
      const { code, out, err } = await run(args)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, expected)
    })
})
