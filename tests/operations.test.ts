/** What a person who runs the monitor meets: commands, wrong settings, lost folders, one clear sentence each. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  runCommand,
  startMonitor,
  stopMonitor,
  withoutEncoder,
} from './monitor-process.fixture.ts'

const folders = mkdtempSync(join(tmpdir(), 'tickertone-operations-'))
after(() => rmSync(folders, { recursive: true, force: true }))
const newFolder = () => mkdtempSync(join(folders, 'data-'))

const post = (id: string) => ({
  id,
  source: 'test',
  kind: 'news',
  text: `$FB falls as advertisers leave, says ${id}`,
  publishedAt: '2020-06-26T16:50:00Z',
})

/** One line for a person, without a stack. */
function assertOneSentence(stderr: string, pattern: RegExp): void {
  const lines = stderr.split('\n').filter((line) => line.startsWith('tickertone: '))
  assert.equal(lines.length, 1, stderr)
  assert.match(lines[0] ?? '', pattern)
  assert.doesNotMatch(stderr, /^\s+at /m)
}

describe('the command line', () => {
  it('helps, for each command', async () => {
    const { code, stdout } = await runCommand(['--help'])
    assert.equal(code, 0)
    for (const command of [
      'start',
      'run',
      'replay',
      'tail',
      'sql',
      'feedback',
      'labels',
      'deadletters',
      'forget',
      'doctor',
      'epoch',
    ]) {
      assert.match(stdout, new RegExp(`^ +${command} `, 'm'))
      const help = await runCommand([command, '--help'])
      assert.equal(help.code, 0)
      assert.match(help.stdout, new RegExp(`^Usage: tickertone ${command}`))
    }
  })

  const refusals: readonly {
    name: string
    args: readonly string[]
    env?: Readonly<Record<string, string>>
    code: number
    says: RegExp
  }[] = [
    { name: 'an unknown command', args: ['strat'], code: 2, says: /unknown command 'strat'/ },
    {
      name: 'an unknown topic',
      args: ['epoch', 'start', 'nope'],
      code: 2,
      says: /Allowed choices/,
    },
    { name: 'an unknown option', args: ['start', '--demoo'], code: 2, says: /unknown option/ },
    {
      name: 'a role without a cluster',
      args: ['run', 'pipeline'],
      code: 2,
      says: /needs --kafka and --clickhouse.*tickertone start/,
    },
    {
      name: 'a config typo',
      args: ['start'],
      env: { HTTP_PORT: 'eighty' },
      code: 2,
      says: /http\.port \(HTTP_PORT\) must be integer/,
    },
    {
      name: 'another address than loopback',
      args: ['start', '--port', '0', '--data-dir', newFolder()],
      env: { ...withoutEncoder, HTTP_HOST: '0.0.0.0' },
      code: 2,
      says: /only loopback/,
    },
    {
      name: 'a tail of too many lines',
      args: ['tail', '-n', '1000'],
      code: 2,
      says: /from 1 to 200/,
    },
    {
      name: 'SQL on a folder without a store',
      args: ['sql', 'SELECT 1', '--data-dir', newFolder()],
      code: 1,
      says: /holds no store/,
    },
  ]
  for (const { name, args, env, code, says } of refusals) {
    it(`refuses ${name}`, async () => {
      const result = await runCommand(args, env)
      assert.equal(result.code, code, result.stderr)
      assert.match(result.stderr, says)
      assert.doesNotMatch(result.stderr, /^\s+at /m)
    })
  }

  it('examines the machine, and names the fix of what is wrong', async () => {
    const healthy = await runCommand(['doctor', '--json', '--port', '0', '--data-dir', newFolder()])
    const findings = JSON.parse(healthy.stdout) as { check: string; ok: boolean; detail: string }[]
    assert.deepEqual(
      findings.filter(({ ok }) => !ok),
      [],
    )
    assert.equal(healthy.code, 0)
    const broken = await runCommand(['doctor', '--data-dir', '/dev/null'], {
      HTTP_HOST: '0.0.0.0',
      PIPELINE_OVERRIDES_FILE: join(folders, 'nowhere.csv'),
      WORKERS_MEMORY_MEGABYTES: '128',
    })
    assert.equal(broken.code, 1)
    assert.match(broken.stdout, /^FAIL encoder minilm: .*WORKERS_MEMORY_MEGABYTES allows 128/m)
    assert.match(broken.stdout, /^FAIL data folder: .*--data-dir/m)
    assert.match(broken.stdout, /^FAIL port: .*loopback/m)
    assert.match(broken.stdout, /^FAIL instruments: .*nowhere\.csv/m)
  })

  it('refuses a data folder that is a file', async () => {
    const file = join(folders, 'a-file')
    writeFileSync(file, 'mine')
    const { code, stderr } = await runCommand(['start', '--port', '0', '--data-dir', file])
    assert.equal(code, 1)
    assertOneSentence(stderr, /DATA_FOLDER/)
  })

  it('refuses a port in use and names the fix', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    const args = ['start', '--port', `${port}`, '--data-dir', newFolder()]
    const { code, stderr } = await runCommand(args, withoutEncoder)
    server.close()
    assert.equal(code, 1)
    assertOneSentence(stderr, /in use.*another port/)
  })
})

describe('a data folder', () => {
  const dataDir = newFolder()
  const query = 'SELECT post_id, version, round(score, 4) AS score FROM posts_v ORDER BY post_id'
  let monitor: MonitorProcess
  let before: string

  async function restart(): Promise<string> {
    // Which experts the strategy dynamic asks depends on what they cost just then.
    monitor = startMonitor(dataDir, [], { ...withoutEncoder, ALLOCATOR_STRATEGY: 'static' })
    return monitor.url
  }

  it('serves SQL and tail while the monitor runs', async () => {
    const url = await restart()
    assert.equal((await pushPosts(url, [post('a'), post('b'), post('c')])).status, 202)
    await caughtUp(url)
    const { code, stdout } = await runCommand(['sql', query, '--json', '--data-dir', dataDir])
    assert.equal(code, 0)
    before = stdout
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      rows.map((row) => row.post_id),
      ['a', 'b', 'c'],
    )
    const tail = await runCommand(['tail', '-n', '2', '--data-dir', dataDir])
    assert.equal(tail.stdout.trimEnd().split('\n').length, 2)
    assert.match(tail.stdout, /\$FB/)
  })

  it('is refused to a second process', async () => {
    const { code, stderr } = await runCommand(['start', '--port', '0', '--data-dir', dataDir])
    assert.equal(code, 1)
    assertOneSentence(stderr, /in use by process/)
  })

  it('refuses SQL that reads anything but the views', async () => {
    const { code, stderr } = await runCommand([
      'sql',
      "SELECT file('/etc/passwd')",
      '--data-dir',
      dataDir,
    ])
    assert.equal(code, 2)
    assertOneSentence(stderr, /file/)
  })

  it('serves SQL and tail after the monitor stopped', async () => {
    assert.equal(await stopMonitor(monitor), 0, monitor.stderr())
    assert.equal(existsSync(join(dataDir, 'monitor.json')), false)
    const { stdout } = await runCommand(['sql', query, '--json', '--data-dir', dataDir])
    assert.equal(stdout, before)
    const tail = await runCommand(['tail', '--json', '--data-dir', dataDir])
    assert.equal(tail.stdout.trimEnd().split('\n').length, 3)
  })

  it('is rebuilt from the log when the store is lost', async () => {
    rmSync(join(dataDir, 'store'), { recursive: true })
    await caughtUp(await restart())
    await stopMonitor(monitor)
    const { stdout } = await runCommand(['sql', query, '--json', '--data-dir', dataDir])
    assert.equal(stdout, before)
  })

  it('stops with LOG_REPLACED when the log is lost, and goes on in a new epoch', async () => {
    rmSync(join(dataDir, 'log'), { recursive: true })
    const args = ['start', '--port', '0', '--data-dir', dataDir]
    const refused = await runCommand(args, withoutEncoder)
    assert.equal(refused.code, 1)
    assertOneSentence(refused.stderr, /epoch start posts.*LOG_REPLACED/)
    const epoch = await runCommand(['epoch', 'start', 'posts', '--data-dir', dataDir])
    assert.match(epoch.stdout, /posts@1/)
    const url = await restart()
    await pushPosts(url, [post('a'), post('d')])
    await caughtUp(url)
    await stopMonitor(monitor)
    const counts =
      'SELECT outcome, count() AS posts FROM analyses WHERE ordinal = 0 GROUP BY outcome ORDER BY outcome'
    const { stdout } = await runCommand(['sql', counts, '--data-dir', dataDir])
    assert.equal(stdout, 'outcome\tposts\nduplicate\t1\nscored\t4\n')
  })
})
