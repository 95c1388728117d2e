import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig } from './config.ts'
import { checkSources } from './config-sources.ts'

const feed = { type: 'feed', name: 'wire', owner: 'desk', url: 'https://wire.example/rss' }
const mapping = { text: '/t', publishedAt: '/d' }
const poller = {
  type: 'json-poller',
  name: 'api',
  owner: 'o',
  url: 'https://x.example/',
  items: '/data',
  mapping,
}

describe('checkSources', () => {
  it('fills in what is left out', () => {
    const { sources, faults } = checkSources([feed, { ...poller, paging: {} }])
    assert.deepEqual(faults, [])
    assert.deepEqual(sources[0], {
      ...feed,
      kind: 'news',
      undated: 'history',
      datesWithoutZone: 'unknown',
      freshMinutes: 10,
      schedule: '*/5 * * * *',
    })
    assert.equal(sources[1]?.type === 'json-poller' && sources[1].paging?.maxPages, 10)
  })

  for (const { name, source, expected } of [
    {
      name: 'an unknown key',
      source: { ...feed, ulr: 'x' },
      expected: ['sources.0 "wire": unknown option "ulr"'],
    },
    {
      name: 'an unknown key inside',
      source: { ...poller, mapping: { ...mapping, headline: '/h' } },
      expected: ['sources.0 "api": unknown option "mapping.headline"'],
    },
    {
      name: 'no owner',
      source: { ...feed, owner: undefined },
      expected: ['sources.0 "wire": must have required properties owner'],
    },
    {
      name: 'a name that is no word',
      source: { ...feed, name: '../x' },
      expected: [/^sources\.0 "\.\.\/x": name must match/],
    },
    {
      name: 'another scheme',
      source: { ...feed, url: 'file:///etc/passwd' },
      expected: [/url must match/],
    },
    {
      name: 'no address',
      source: { ...feed, url: 'http://' },
      expected: ['sources.0 "wire": url is no address'],
    },
    {
      name: 'a password in an address',
      source: { ...feed, url: 'https://me:pw@x.example/' },
      expected: [/^sources\.0 "wire": url holds a password/],
    },
    {
      name: 'no schedule',
      source: { ...feed, schedule: 'often' },
      expected: ['sources.0 "wire": schedule is no cron expression'],
    },
    {
      name: 'an unknown type',
      source: { ...feed, type: 'constructor' },
      expected: ['sources.0 "wire": type must be one of feed, json-poller, kafka-topic, file-tail'],
    },
    { name: 'no object', source: 'wire', expected: [/^sources\.0: type must be/] },
    {
      name: 'several at once',
      source: { ...feed, kind: 'rumour', freshMinutes: -1 },
      expected: [
        'sources.0 "wire": kind must be one of news, comment',
        /freshMinutes must be >= 0/,
      ],
    },
  ])
    it(`names ${name}`, () => {
      const { faults } = checkSources([JSON.parse(JSON.stringify(source))])
      assert.equal(faults.length, expected.length, faults.join('; '))
      for (const [index, wanted] of expected.entries())
        if (typeof wanted === 'string') assert.equal(faults[index], wanted)
        else assert.match(faults[index] ?? '', wanted)
    })

  it('refuses two of one name', () => {
    assert.deepEqual(checkSources([feed, feed, feed]).faults, ['sources: the name "wire" is taken'])
  })
})

describe('loadConfig', () => {
  it('reports faults of sources with all others, and no value of theirs', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tickertone-config-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'config.json')
    const headers = { authorization: { secret: 'hunter2' } }
    writeFileSync(file, JSON.stringify({ htpp: {}, sources: [{ ...feed, headers }, 7] }))
    assert.throws(
      () => loadConfig({ file, env: {} }),
      (error: Error) =>
        /unknown option "htpp"; sources\.0 "wire": /.test(error.message) &&
        /sources\.1: type/.test(error.message) &&
        !/hunter2/.test(error.message),
    )
    writeFileSync(file, JSON.stringify({ sources: 'wire' }))
    assert.throws(() => loadConfig({ file, env: {} }), /sources(\.0)?:? .*(must be)/)
    writeFileSync(file, JSON.stringify({ sources: [feed] }))
    assert.equal(loadConfig({ file, env: {} }).sources[0]?.name, 'wire')
  })
})
