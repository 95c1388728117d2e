import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { FeedSource } from '../../infra/config-sources.ts'
import { AppError } from '../../infra/errors.ts'
import { VirtualTime } from '../virtual-time.fixture.ts'
import { createFeed } from './feed.ts'
import type { Source } from './source.ts'
import { fetcherFor, Run, Web } from './web.fixture.ts'

let web: Web
let time: VirtualTime
let run: Run
let feed: Source

beforeEach(async () => {
  web = new Web()
  await web.open()
  time = new VirtualTime(Date.parse('2024-03-05T10:00:00Z'))
  run = new Run(time)
  feed = createFeed(config(), { fetcher: fetcherFor(time), clock: time.clock, headers: () => ({}) })
})
afterEach(() => web.close())

const config = (): FeedSource => ({
  type: 'feed',
  name: 'wire',
  owner: 'desk',
  kind: 'news',
  undated: 'history',
  datesWithoutZone: 'unknown',
  freshMinutes: 10,
  url: web.url('/feed'),
  schedule: '*/5 * * * *',
})

interface Entry {
  readonly guid?: string
  readonly title: string
  readonly link?: string
  readonly minutesAgo?: number
}

function document(entries: readonly Entry[]): string {
  const items = entries.map(({ guid, title, link, minutesAgo }) => {
    const date =
      minutesAgo === undefined ? '' : new Date(time.now - minutesAgo * 60_000).toUTCString()
    return `<item><title>${title}</title>${guid ? `<guid isPermaLink="false">${guid}</guid>` : ''}${link ? `<link>${link}</link>` : ''}${date && `<pubDate>${date}</pubDate>`}</item>`
  })
  return `<rss version="2.0"><channel><title>W</title><link>https://wire.example/</link>${items.join('')}</channel></rss>`
}

async function readAgain(entries: readonly Entry[], afterMinutes = 5) {
  time.now += afterMinutes * 60_000
  web.serve(document(entries))
  await feed.run(run)
  return run.posts()
}

const briefly = ({
  id,
  text,
  status,
  history,
}: {
  id: string
  text: string
  status?: string
  history?: boolean
}) => [id, text, status, history].filter((part) => part !== undefined)

describe('createFeed', () => {
  it('takes the first document for history but for what is fresh, oldest first', async () => {
    const posts = await readAgain([
      { guid: 'c', title: 'C', minutesAgo: 2 },
      { guid: 'b', title: 'B', minutesAgo: 300 },
      { guid: 'a', title: 'A' },
    ])
    assert.deepEqual(posts.map(briefly), [
      ['wire:a', 'A', true],
      ['wire:b', 'B', true],
      ['wire:c', 'C'],
    ])
    assert.equal(posts[2]?.publishedAt, new Date(time.now - 120_000).toISOString())
  })

  it('brings what is new, and what was edited as a correction', async () => {
    await readAgain([{ guid: 'a', title: 'A', minutesAgo: 2 }])
    assert.deepEqual(await readAgain([{ guid: 'a', title: 'A', minutesAgo: 7 }]), [])
    const posts = await readAgain([
      { guid: 'b', title: 'B', minutesAgo: 45 },
      { guid: 'a', title: 'A, updated', minutesAgo: 1 },
    ])
    assert.deepEqual(posts.map(briefly), [
      ['wire:b', 'B'],
      ['wire:a', 'A, updated', 'corrected'],
    ])
    assert.deepEqual(run.readings.at(-1), { fresh: 1, corrected: 1, repeated: 0, refused: 0 })
  })

  it('takes items that left the document for nothing, also when they come back', async () => {
    await readAgain([{ guid: 'a', title: 'A', minutesAgo: 2 }])
    assert.deepEqual(await readAgain([]), [])
    assert.deepEqual(await readAgain([{ guid: 'a', title: 'A', minutesAgo: 12 }]), [])
  })

  it('takes what came during an outage for history', async () => {
    await readAgain([{ guid: 'a', title: 'A', minutesAgo: 2 }])
    const posts = await readAgain(
      [
        { guid: 'c', title: 'C', minutesAgo: 5 },
        { guid: 'b', title: 'B', minutesAgo: 100 },
      ],
      240,
    )
    assert.deepEqual(posts.map(briefly), [
      ['wire:b', 'B', true],
      ['wire:c', 'C'],
    ])
  })

  it('asks with what the last answer said, also after a restart', async () => {
    web.answer = (request, response) => {
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.writeHead(200, { etag: '"1"' }).end(document([{ guid: 'a', title: 'A' }]))
    }
    await feed.run(run)
    const restarted = createFeed(config(), {
      fetcher: fetcherFor(time),
      clock: time.clock,
      headers: () => ({}),
    })
    await restarted.run(run)
    assert.equal(run.posts().length, 1)
    assert.deepEqual(run.readings.at(-1), { fresh: 0, corrected: 0, repeated: 0, refused: 0 })
  })

  it('reads again what was not in the log, under the same ids', async () => {
    web.serve(document([{ guid: 'a', title: 'A', minutesAgo: 1 }]))
    run.log.before = () => {
      throw new AppError('LOG', 'the log is gone')
    }
    await assert.rejects(feed.run(run), { code: 'LOG' })
    assert.deepEqual(run.state, {})
    run.log.before = () => undefined
    await feed.run(run)
    assert.deepEqual(run.posts().map(briefly), [['wire:a', 'A']])
  })

  it('waits while the log is full', async () => {
    web.serve(document([{ guid: 'a', title: 'A', minutesAgo: 1 }]))
    run.log.before = (call) => {
      if (call < 3) throw new AppError('LOG_FULL', 'full', { retryable: true })
    }
    await feed.run(run)
    assert.equal(run.posts().length, 1)
  })

  it('keeps items apart that have one guid, from then on', async () => {
    const same = (title: string) => ({
      guid: 'same',
      title,
      link: `https://wire.example/${title}`,
      minutesAgo: 1,
    })
    const posts = await readAgain([same('A'), same('B')])
    assert.deepEqual(new Set(posts.map(({ text }) => text)), new Set(['A', 'B']))
    assert.equal(new Set(posts.map(({ id }) => id)).size, 2)
    const later = await readAgain([same('C')])
    assert.deepEqual(
      later.map(({ text, status }) => [text, status]),
      [['C', undefined]],
    )
    assert.equal(run.oddities.length, 1)
  })

  it('buries what is no post, once', async () => {
    const empty = { guid: 'x', title: ' ', minutesAgo: 1 }
    await readAgain([empty, { guid: 'a', title: 'A', minutesAgo: 1 }])
    await readAgain([{ ...empty, minutesAgo: 6 }])
    const [letter, ...others] = run.letters()
    assert.match(letter?.origin ?? '', /^source:wire\//)
    assert.equal(letter?.reason, 'neither title nor text')
    assert.equal(others.length, 0)
  })

  it('fails on what is no feed, and keeps what it knew', async () => {
    await readAgain([{ guid: 'a', title: 'A', minutesAgo: 1 }])
    const before = run.state
    web.serve('<html>Under maintenance</html>')
    await assert.rejects(feed.run(run), { code: 'SOURCE', message: 'wire: the answer is no feed' })
    assert.deepEqual(run.state, before)
  })
})
