import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../infra/package-root.ts'
import { readLinear } from '../experts/linear.ts'
import { cleanOpening } from '../text/clean.ts'
import { RareWords } from './rare-words.ts'

const words = new RareWords(readLinear().parameters)

function meanShare(file: string, every: number): number {
  const shares = readFileSync(join(packageRoot, 'data', file), 'utf8')
    .trimEnd()
    .split('\n')
    .filter((_, i) => i % every === 0)
    .flatMap((line) => words.share(cleanOpening(JSON.parse(line).text)) ?? [])
  return shares.reduce((a, b) => a + b) / shares.length
}

test('words that training knew are common, strings that nobody writes are rare', () => {
  assert.equal(words.share('the company reported earnings and shares fell'), 0)
  const random = Array.from(
    { length: 200 },
    (_, i) => `qzx${i.toString(7).replaceAll(/\d/g, (d) => 'jkvwyqz'[Number(d)] ?? '')}`,
  )
  const share = words.share(random.join(' ')) ?? 0
  assert.ok(share > 0.9, String(share))
})

test('market tweets have few rare words, other languages many', () => {
  const [tweets, others] = [
    meanShare('market-tweets-2020.ndjson', 9),
    meanShare('other-languages.ndjson', 3),
  ]
  assert.ok(tweets < 0.2, String(tweets))
  assert.ok(others > 0.6, String(others))
})

test('a text without words has no share', () => {
  assert.equal(words.share(''), undefined)
  assert.equal(words.share(' '), undefined)
})
