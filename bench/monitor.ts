/**
 * `npm run -s build && node dist/bench/monitor.js`: what the label-free monitor says of the bundled tweets of 2020, judged by the default experts. First as they
 * came; then in orders whose days are shuffled, where nothing changes but bursts stay: each alarm there is a false one; then with a planted change.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { silentLogger } from '../infra/logger.ts'
import { packageRoot } from '../infra/package-root.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import type { Post } from '../ingest/contract.ts'
import { tempered } from '../pipeline/allocator/calibration.ts'
import { loadFusion } from '../pipeline/allocator/served-fusion.ts'
import { toPost } from '../pipeline/evaluation/judge-lines.ts'
import { unhurried } from '../pipeline/evaluation/panel.ts'
import { servedAnalyst } from '../pipeline/evaluation/served-analyst.ts'
import { isLethal } from '../pipeline/experts/expert.ts'
import { readLinear } from '../pipeline/experts/linear.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { notDrawn } from '../pipeline/feedback/draw.ts'
import { createStreamMonitor } from '../pipeline/monitor/monitor.ts'
import { openStreamMonitor } from '../pipeline/monitor/open.ts'
import { RareWords } from '../pipeline/monitor/rare-words.ts'
import type { Verdict } from '../pipeline/rows.ts'

type Scored = Extract<Verdict, { outcome: 'scored' }>
type Random = () => number

const postsAtOnce = 256
const orders = 200
/** Posts before the first look: reference and window. */
const unwatched = 1_500
/** The reference, one window, and some more. */
const plantedAt = 2_000
const plantedOrders = 50
const costPasses = 5

async function judgedTweets(): Promise<Scored[]> {
  const { pipeline } = loadConfig({ env: {} })
  const experts = await loadExperts(pipeline, { clock: systemClock, logger: silentLogger })
  const analyst = servedAnalyst(loadFusion(pipeline, experts), 'average')(experts)
  const posts = linesOf<Pick<Post, 'id' | 'publishedAt' | 'kind' | 'text'>>('market-tweets-2020')
  const verdicts: Scored[] = []
  for (let at = 0; at < posts.length; at += postsAtOnce) {
    const batch = posts.slice(at, at + postsAtOnce)
    const judgements = await analyst.judge(
      batch.map(({ kind, text }, i) => toPost({ kind, text, title: '' }, at + i)),
      unhurried,
    )
    batch.forEach((post, i) => {
      const judgement = judgements[i]
      if (judgement === undefined || isLethal(judgement))
        throw new RangeError(`Not judged: ${post.id}`)
      verdicts.push(scored({ ...post, source: 'replay' }, judgement))
    })
  }
  await analyst.close()
  return verdicts
}

function scored(post: Post, judgement: Scored['judgement']): Scored {
  const read = { version: 1, language: 'en', languageConfidence: 1, signature: [], mentions: [] }
  return { outcome: 'scored', post, judgement, draw: notDrawn, ...read }
}

function linesOf<T>(name: string): T[] {
  return readFileSync(join(packageRoot, 'data', `${name}.ndjson`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

/** Whole days in another order. */
function inOtherOrder(tweets: readonly Scored[], random: Random): Scored[] {
  const days = grouped(tweets, ({ post }) => post.publishedAt.slice(0, 10))
  return [...days.values()]
    .map((day) => ({ day, at: random() }))
    .sort((a, b) => a.at - b.at)
    .flatMap(({ day }) => day)
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

interface Alarm {
  readonly afterPosts: number
  readonly kind: string
  readonly language: string
  readonly signals: readonly string[]
}

function alarmsOn(verdicts: readonly Verdict[]): Alarm[] {
  const alarms: Alarm[] = []
  let afterPosts = 0
  const monitor = createStreamMonitor({
    rareWords,
    logger: {
      ...silentLogger,
      warn: (fields: object) =>
        alarms.push({ afterPosts, ...(fields as Omit<Alarm, 'afterPosts'>) }),
    } as typeof silentLogger,
  })
  for (const verdict of verdicts) {
    afterPosts++
    monitor.observe([verdict])
  }
  return alarms
}

const known = new Map<string, number | undefined>()
const ofModel = new RareWords(readLinear().parameters)
function rareWords(cleaned: string): number | undefined {
  if (!known.has(cleaned)) known.set(cleaned, ofModel.share(cleaned))
  return known.get(cleaned)
}

interface Planted {
  readonly name: string
  change(verdict: Scored, random: Random, tweets: readonly Scored[]): Verdict
}

const foreign = linesOf<{ readonly text: string; readonly language: string }>('other-languages')

const planted: readonly Planted[] = [
  { name: 'nothing', change: (verdict) => verdict },
  ...[0.1, 0.2].map((share) => ({
    name: `${100 * share}% of posts in other languages, recognised`,
    change: (verdict: Scored, random: Random): Verdict => {
      const { judgement: _, mentions: __, ...read } = verdict
      return random() < share ? { ...read, outcome: 'unsupported', language: 'de' } : verdict
    },
  })),
  ...[0.1, 0.2].map((share) => ({
    name: `${100 * share}% of posts in other languages, taken for English`,
    change: (verdict: Scored, random: Random): Verdict => {
      const text = foreign[Math.floor(random() * foreign.length)]?.text ?? ''
      return random() < share ? { ...verdict, post: { ...verdict.post, text } } : verdict
    },
  })),
  ...['Stock Movement', 'Stock Commentary', 'Earnings'].map(doubledTopic),
  ...[1.5, 2].map((temperature) => ({
    name: `sentiments at temperature ${temperature}`,
    change: (verdict: Scored): Verdict => {
      const { negative, neutral, positive } = verdict.judgement
      const [n = 0, o = 0, p = 0] = tempered([negative, neutral, positive], temperature)
      const judgement = { ...verdict.judgement, negative: n, neutral: o, positive: p }
      return { ...verdict, judgement: { ...judgement, confidence: Math.max(n, o, p) } }
    },
  })),
  {
    name: 'a fifth of neutral posts negative',
    change: (verdict: Scored, random: Random): Verdict => {
      const { negative, neutral, positive } = verdict.judgement
      if (neutral < Math.max(negative, positive) || random() > 0.2) return verdict
      return {
        ...verdict,
        judgement: { ...verdict.judgement, negative: neutral, neutral: negative },
      }
    },
  },
]

/** Other posts are replaced by ones of the topic until there are twice as many. */
function doubledTopic(topic: string): Planted {
  return {
    name: `twice as many of the topic ${topic}`,
    change: (verdict, random, tweets) => {
      const ofTopic = tweets.filter(({ judgement }) => judgement.topic === topic)
      const share = ofTopic.length / tweets.length
      if (verdict.judgement.topic === topic || random() >= share / (1 - share)) return verdict
      return ofTopic[Math.floor(random() * ofTopic.length)] ?? verdict
    },
  }
}

/** Signals and detectors, rare words included. */
function measureCost(tweets: readonly Scored[]): void {
  const monitor = openStreamMonitor({ logger: silentLogger })
  monitor.observe(tweets)
  const before = process.cpuUsage()
  for (let pass = 0; pass < costPasses; pass++) monitor.observe(tweets)
  const { user, system } = process.cpuUsage(before)
  const each = (user + system) / (costPasses * tweets.length)
  print(`\n${each.toFixed(1)} microseconds of CPU a post`)
}

function measureFalseAlarms(tweets: readonly Scored[]): void {
  const counts = Array.from({ length: orders }, (_, seed) =>
    alarmsOn(inOtherOrder(tweets, seededRandom(seed))),
  )
  const alarms = counts.flat()
  const posts = orders * (tweets.length - unwatched)
  print(
    `\n${orders} orders of the days, ${posts} posts watched: ${alarms.length} false alarms, one in ${Math.round(posts / alarms.length)}`,
  )
  for (const [signal, found] of grouped(alarms, ({ signals }) => signals[0]?.split(':')[0] ?? ''))
    print(`  ${found.length} ${signal}`)
}

function measurePlanted(tweets: readonly Scored[]): void {
  print(
    `\nplanted at post ${plantedAt}, ${plantedOrders} orders: found by, delay in posts (median, worst)`,
  )
  for (const { name, change } of planted) {
    const delays: number[] = []
    const signals: string[] = []
    for (let seed = 0; seed < plantedOrders; seed++) {
      const random = seededRandom(1_000 + seed)
      const stream = inOtherOrder(tweets, random).map((verdict, at) =>
        at < plantedAt ? verdict : change(verdict, random, tweets),
      )
      const alarm = alarmsOn(stream).find(({ afterPosts }) => afterPosts > plantedAt)
      if (alarm === undefined) continue
      delays.push(alarm.afterPosts - plantedAt)
      signals.push(alarm.signals[0]?.split(':')[0] ?? '')
    }
    const sorted = delays.sort((a, b) => a - b)
    const found =
      sorted.length === 0
        ? ''
        : `, ${sorted[Math.floor(sorted.length / 2)]}, ${sorted.at(-1)} (${[...new Set(signals)].join(', ')})`
    print(`  ${name}: ${sorted.length} of ${plantedOrders}${found}`)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

program.description('False alarms and delays of the label-free monitor.').action(async () => {
  const tweets = await judgedTweets()
  print('as they came')
  for (const { afterPosts, kind, language, signals } of alarmsOn(tweets))
    print(`  post ${afterPosts}, ${kind}, ${language}: ${signals.join('; ')}`)
  measureCost(tweets)
  measureFalseAlarms(tweets)
  measurePlanted(tweets)
})
await program.parseAsync()
