import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { packageRoot } from '../infra/package-root.ts'
import { Web } from '../ingest/sources/web.fixture.ts'

let folder: string
let web: Web

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tickertone-sources-'))
  web = new Web()
  await web.open()
})
afterEach(async () => {
  await web.close()
  rmSync(folder, { recursive: true })
})

async function run(args: readonly string[], sources: readonly unknown[]) {
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ dataDir: join(folder, 'data'), sources }))
  const main = join(packageRoot, 'dist', 'cli', 'main.js')
  const child = spawn(process.execPath, [main, 'sources', ...args, '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { NEWS_KEY: 'k1' },
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { stdout, stderr, code }
}

const feed = (path: string, more = {}) => ({
  type: 'feed',
  name: 'wire',
  owner: 'desk@example.com',
  url: web.url(path),
  ...more,
})

const document = `<rss version="2.0"><channel><title>W</title>
  <item><title>Old \u202enews\u009b31m</title><guid>g1</guid><pubDate>Tue, 05 Mar 2024 10:00:00 GMT</pubDate></item>
  </channel></rss>`

describe('tickertone sources', () => {
  it('shows what one reading brings, marks what is old, and leaves nothing behind', async () => {
    web.serve(document)
    const headers = { 'x-key': { env: 'NEWS_KEY' } }
    const { stdout, code } = await run(['test', 'wire'], [feed('/rss', { headers })])
    assert.equal(code, 0)
    assert.match(stdout, /^wire \(owner: desk@example\.com\): 1 posts, 0 refused\n/)
    assert.match(stdout, /2024-03-05T10:00:00\.000Z {2}history {2}wire:g1 {2}Old +news 31m\n/)
    assert.doesNotMatch(stdout, /[\u202e\u009b]/)
    assert.equal(web.requests[0]?.headers['x-key'], 'k1')
    assert.deepEqual(readdirSync(folder), ['config.json'])
  })

  it('fails when a source does, and shows the others all the same', async () => {
    web.answer = (request, response) =>
      request.url === '/rss' ? response.end(document) : response.writeHead(410).end()
    const gone = feed('/gone?token=hunter2', { name: 'gone' })
    const keyless = feed('/rss', { name: 'keyless', headers: { 'x-key': { env: 'NO_SUCH' } } })
    const { stdout, stderr, code } = await run(['test'], [gone, keyless, feed('/rss')])
    assert.equal(code, 1)
    assert.match(stdout, /gone \(owner: .*\n {2}error: .*\/gone answered 410/)
    assert.match(stdout, /error: x-key: the environment has no NO_SUCH/)
    assert.match(stdout, /wire:g1/)
    assert.doesNotMatch(stdout + stderr, /hunter2/)
  })

  it('lists what is configured, and names every fault of it', async () => {
    const listed = await run(['list'], [feed('/rss')])
    assert.match(listed.stdout, /^wire +feed +http.*\(owner: desk@example\.com\)\n$/)
    const faulty = await run(['list'], [feed('/rss', { owner: '', ulr: 1 })])
    assert.equal(faulty.code, 2)
    assert.match(faulty.stderr, /unknown option "ulr".*owner/)
    assert.equal((await run(['test', 'other'], [feed('/rss')])).code, 2)
  })
})
