/**
 * How well and how fast posts are linked to instruments.
 *
 *   npm run bench:linking                        the 2020 part, from the repository alone
 *   npm run bench:linking -- STREAM_2014.ndjson  the 2014 part too (StockNet's tweets; their texts do not ship)
 *   ... --misses                                 lists every disagreement with the labels
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../infra/package-root.ts'
import { findMentions } from '../pipeline/entities/find-mentions.ts'
import {
  type Figures,
  type Miss,
  precision,
  readLabels,
  readPosts,
  recall,
  type SourcePost,
  scoreLinking,
} from '../pipeline/entities/labels/score.ts'
import { createLinker, loadKnowledge } from '../pipeline/entities/link.ts'

const { values, positionals } = parseArgs({
  options: { misses: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const print = (line: string) => process.stdout.write(`${line}\n`)
const knowledge = loadKnowledge()
const bundled = readPosts(join(packageRoot, 'data/market-tweets-2020.ndjson'))
const streams = new Map([['2020', bundled]])
if (positionals[0] !== undefined) streams.set('2014', readPosts(positionals[0]))

for (const [stream, posts] of streams) printFigures(stream, posts)
printResolved()
printThroughput()

function printFigures(stream: string, posts: ReadonlyMap<string, SourcePost>): void {
  const labels = readLabels().filter((label) => label.stream === stream)
  const parts = {
    all: labels,
    development: labels.filter(({ part }) => part === 'development'),
    'held-out': labels.filter(({ part }) => part === 'held-out'),
  }
  for (const [part, chosen] of Object.entries(parts)) {
    const { cashtag, name, misses } = scoreLinking(chosen, posts, knowledge)
    print(`${stream} ${part}, ${chosen.length} posts`)
    print(`  cashtags  ${describe(cashtag)}`)
    print(`  names     ${describe(name)}`)
    if (values.misses && part !== 'all') misses.forEach(printMiss)
  }
}

function printMiss({ kind, form, written, instrument, post }: Miss): void {
  print(`  ${kind} ${form} ${JSON.stringify(written)} ${instrument} (${post})`)
}

function describe(figures: Figures): string {
  const { labelled, found, abstained, rightFound, labelledFound } = figures
  return (
    `precision ${precision(figures).toFixed(3)} (${rightFound} of ${found}), ` +
    `recall ${recall(figures).toFixed(3)} (${labelledFound} of ${labelled}), ` +
    `${abstained} kept as unresolved`
  )
}

function printResolved(): void {
  const cashtags = [...bundled.values()].flatMap((post) =>
    findMentions(post.text, Date.parse(post.publishedAt), knowledge).filter(
      ({ how }) => how === 'cashtag',
    ),
  )
  const resolved = cashtags.filter(({ instrument }) => !instrument.startsWith('unresolved:'))
  const share = (100 * resolved.length) / cashtags.length
  print(
    `2020 stream: ${resolved.length} of ${cashtags.length} cashtags resolved (${share.toFixed(1)} %)`,
  )
}

/** Processor time of this process rather than the clock: the machine may be busy with other things. */
function printThroughput(): void {
  const linker = createLinker()
  const posts = [...bundled.values()].map((post) => ({ post, at: new Date(post.publishedAt) }))
  const rounds = 8
  for (const { post, at } of posts) linker.link(post, at)
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round++)
    for (const { post, at } of posts) linker.link(post, at)
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  print(`${Math.round((rounds * posts.length) / seconds)} posts/s of processor time`)
}
