import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openTestStore, type TestStore } from './monitor.fixture.ts'
import { runStatement } from './queries/analyst.ts'
import { storePosts } from './rows.fixture.ts'
import { checkSql } from './sql-guard.ts'

const allowed: readonly { readonly name: string; readonly sql: string }[] = [
  { name: 'a constant', sql: 'SELECT 1' },
  { name: 'a view', sql: 'SELECT instrument, count() FROM mentions_v GROUP BY instrument' },
  {
    name: 'a comment and a final semicolon',
    sql: '-- newest\nSELECT text FROM posts_v /* x */ LIMIT 1;',
  },
  {
    name: 'aggregates with combinators and parameters',
    sql: "SELECT avgIf(score, kind = 'news') AS `mean score`, quantiles(0.1, 0.9)(score), countDistinct(source) FROM posts_v",
  },
  {
    name: 'a name of the own WITH',
    sql: 'WITH busy AS (SELECT instrument FROM mentions_v) SELECT * FROM busy WHERE instrument IN busy',
  },
  {
    name: 'a join',
    sql: 'SELECT p.post_id FROM posts_v AS p INNER JOIN mentions_v AS m USING (post_id)',
  },
  { name: 'a union', sql: 'SELECT 1 UNION ALL (SELECT 2 UNION DISTINCT SELECT 3)' },
  {
    name: 'a subquery',
    sql: 'SELECT max(n) FROM (SELECT count() AS n FROM analyses GROUP BY source)',
  },
  { name: 'IN over a view', sql: 'SELECT 1 IN (SELECT offset FROM posts_v)' },
  {
    name: 'a window function',
    sql: 'SELECT row_number() OVER (PARTITION BY source ORDER BY offset) FROM posts_v',
  },
  {
    name: 'lambdas and arrays',
    sql: 'SELECT arrayMap(x -> x + 1, [1, 2]), arraySum(topic_probabilities) FROM posts_v',
  },
  {
    name: 'times',
    sql: "SELECT toStartOfInterval(published_at, INTERVAL 5 MINUTE) AS t, date_trunc('hour', published_at), now() - INTERVAL 1 DAY FROM posts_v",
  },
  {
    name: 'case and cast',
    sql: "SELECT CASE WHEN score < 0 THEN 'n' ELSE 'p' END, score::String FROM posts_v",
  },
  { name: 'the table function numbers', sql: 'SELECT number FROM numbers(3)' },
  { name: 'the table function view', sql: 'SELECT * FROM view(SELECT 1 AS a)' },
  { name: 'a quoted view', sql: 'SELECT count() FROM `posts_v`' },
  {
    name: 'HAVING, QUALIFY, LIMIT BY',
    sql: 'SELECT source, count() FROM posts_v GROUP BY source HAVING count() > 0 LIMIT 1 BY source LIMIT 5',
  },
  { name: 'text that looks like an attack', sql: "SELECT 'x; DROP TABLE analyses -- file()' AS t" },
]

const refused: readonly { readonly name: string; readonly sql: string; readonly reason: RegExp }[] =
  [
    { name: 'nothing', sql: ' ', reason: /Syntax|Empty|empty/ },
    {
      name: 'several statements',
      sql: 'SELECT 1; DROP TABLE analyses',
      reason: /Multi-statements|Syntax/,
    },
    {
      name: 'a statement behind a comment',
      sql: 'SELECT 1 /* x */ ; SELECT 2',
      reason: /Multi-statements|Syntax/,
    },
    { name: 'DROP', sql: 'DROP TABLE analyses', reason: /Only SELECT/ },
    { name: 'INSERT', sql: 'INSERT INTO analyses (text) SELECT 1', reason: /Only SELECT/ },
    { name: 'ALTER', sql: "ALTER TABLE analyses UPDATE text = '' WHERE 1", reason: /Only SELECT/ },
    { name: 'SET', sql: 'SET max_execution_time = 0', reason: /Only SELECT/ },
    { name: 'SHOW', sql: 'SHOW TABLES', reason: /Only SELECT/ },
    { name: 'DESCRIBE', sql: 'DESCRIBE analyses', reason: /Only SELECT/ },
    { name: 'EXPLAIN', sql: 'EXPLAIN SELECT 1', reason: /Only SELECT/ },
    {
      name: 'EXPLAIN in a subquery',
      sql: 'SELECT * FROM (EXPLAIN SELECT 1)',
      reason: /viewExplain/,
    },
    {
      name: 'EXPLAIN AST in disguise',
      sql: "SELECT * FROM viewExplain('EXPLAIN AST', '', (SELECT 1))",
      reason: /viewExplain|plain SELECT/,
    },
    { name: 'scalar file()', sql: "SELECT file('/etc/passwd')", reason: /file/ },
    { name: 'quoted scalar file()', sql: "SELECT `file`('/etc/passwd')", reason: /file/ },
    {
      name: 'table function file',
      sql: "SELECT * FROM file('/etc/passwd', 'LineAsString')",
      reason: /file/,
    },
    { name: 'file() in a WITH', sql: "WITH file('/etc/passwd') AS x SELECT x", reason: /file/ },
    {
      name: 'file() in a lambda',
      sql: "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
      reason: /file/,
    },
    { name: 'file() in ORDER BY', sql: "SELECT 1 ORDER BY file('/etc/passwd')", reason: /file/ },
    {
      name: 'file() in a LIMIT BY',
      sql: "SELECT 1 LIMIT 1 BY file('/etc/passwd')",
      reason: /file/,
    },
    {
      name: 'file() in a window',
      sql: "SELECT sum(1) OVER (PARTITION BY file('/etc/passwd'))",
      reason: /file/,
    },
    {
      name: 'a table in a window',
      sql: 'SELECT sum(1) OVER (PARTITION BY (SELECT name FROM migrations LIMIT 1)) FROM posts_v',
      reason: /migrations/,
    },
    {
      name: 'a table in the order of a window',
      sql: "SELECT sum(1) OVER (ORDER BY 'x' IN migrations) FROM posts_v",
      reason: /migrations/,
    },
    {
      name: 'a table in a named window',
      sql: "SELECT sum(1) OVER w FROM posts_v WINDOW w AS (PARTITION BY 'x' IN migrations)",
      reason: /migrations/,
    },
    {
      name: 'SETTINGS in a window',
      sql: 'SELECT sum(1) OVER (PARTITION BY (SELECT 1 SETTINGS readonly = 0))',
      reason: /SETTINGS/,
    },
    {
      name: 'file() in an interpolation',
      sql: "SELECT 1 AS a ORDER BY a WITH FILL INTERPOLATE (b AS file('x'))",
      reason: /file|Interpolate/,
    },
    {
      name: 'file() in grouping sets',
      sql: "SELECT 1 FROM posts_v GROUP BY GROUPING SETS ((file('x')))",
      reason: /file/,
    },
    {
      name: 'file() in view()',
      sql: "SELECT * FROM view(SELECT file('/etc/passwd'))",
      reason: /file/,
    },
    {
      name: 'file() in a union',
      sql: "SELECT 'a' UNION ALL (SELECT 'b' UNION ALL SELECT file('/etc/passwd'))",
      reason: /file/,
    },
    {
      name: 'file() in a JOIN',
      sql: "SELECT 1 FROM posts_v AS a INNER JOIN posts_v AS b ON a.text = file('x')",
      reason: /file/,
    },
    {
      name: 'file() in ARRAY JOIN',
      sql: "SELECT x FROM posts_v ARRAY JOIN [file('/etc/passwd')] AS x",
      reason: /file/,
    },
    { name: 'file() as APPLY', sql: 'SELECT * APPLY(file) FROM posts_v', reason: /not allowed/ },
    { name: 'a column matcher', sql: "SELECT COLUMNS('text') FROM posts_v", reason: /not allowed/ },
    {
      name: 'url',
      sql: "SELECT * FROM url('http://127.0.0.1/', 'CSV', 'a String')",
      reason: /url/,
    },
    {
      name: 'remote',
      sql: "SELECT * FROM remote('127.0.0.1', system.one)",
      reason: /remote|plain/,
    },
    { name: 's3', sql: "SELECT * FROM s3('http://127.0.0.1/x')", reason: /s3/ },
    {
      name: 'executable',
      sql: "SELECT * FROM executable('x', 'CSV', 'a String')",
      reason: /executable/,
    },
    { name: 'merge over tables', sql: "SELECT * FROM merge('default', '.*')", reason: /merge/ },
    { name: 'a parameterised view', sql: 'SELECT * FROM posts_v(x = 1)', reason: /posts_v/ },
    { name: 'numbers as a scalar', sql: 'SELECT numbers(3)', reason: /numbers/ },
    { name: 'dictGet', sql: "SELECT dictGet('d', 'a', 1)", reason: /dictGet/ },
    { name: 'joinGet', sql: "SELECT joinGet('j', 'a', 1)", reason: /joinGet/ },
    { name: 'sleep', sql: 'SELECT sleep(3)', reason: /sleep/ },
    { name: 'getSetting', sql: "SELECT getSetting('max_threads')", reason: /getSetting/ },
    { name: 'hostName', sql: 'SELECT hostName()', reason: /hostName/ },
    { name: 'currentUser', sql: 'SELECT currentUser()', reason: /currentUser/ },
    { name: 'an aggregate that hides a name', sql: "SELECT fileIf('x', 1)", reason: /fileIf/ },
    { name: 'a system table', sql: 'SELECT * FROM system.tables', reason: /system.tables/ },
    {
      name: 'a quoted system table',
      sql: 'SELECT * FROM `system`.`tables`',
      reason: /system.tables/,
    },
    {
      name: 'a name with a dot in quotes',
      sql: 'SELECT * FROM `system.tables`',
      reason: /system.tables/,
    },
    {
      name: 'information_schema',
      sql: 'SELECT * FROM information_schema.tables',
      reason: /information_schema/,
    },
    {
      name: 'a table of ours that is no view',
      sql: 'SELECT * FROM migrations',
      reason: /migrations/,
    },
    {
      name: 'our table with its database',
      sql: 'SELECT * FROM default.migrations',
      reason: /migrations/,
    },
    { name: 'a table on the right of IN', sql: "SELECT 'x' IN migrations", reason: /migrations/ },
    {
      name: 'a bracketed table on the right of IN',
      sql: "SELECT 'x' NOT IN (migrations)",
      reason: /migrations/,
    },
    {
      name: 'a system table on the right of IN',
      sql: "SELECT 'x' GLOBAL IN system.users",
      reason: /system.users/,
    },
    {
      name: 'a table behind a WITH of its name elsewhere',
      sql: 'SELECT * FROM (WITH migrations AS (SELECT 1) SELECT 1), migrations',
      reason: /migrations/,
    },
    { name: 'SETTINGS', sql: 'SELECT 1 SETTINGS max_execution_time = 0', reason: /SETTINGS/ },
    {
      name: 'SETTINGS in a subquery',
      sql: 'SELECT * FROM (SELECT 1 SETTINGS readonly = 0)',
      reason: /SETTINGS/,
    },
    {
      name: 'SETTINGS in a WITH',
      sql: 'WITH c AS (SELECT 1 SETTINGS readonly = 0) SELECT * FROM c',
      reason: /SETTINGS/,
    },
    {
      name: 'SETTINGS in a scalar',
      sql: 'SELECT (SELECT 1 SETTINGS readonly = 0)',
      reason: /SETTINGS/,
    },
    {
      name: 'SETTINGS in a union',
      sql: 'SELECT 1 UNION ALL (SELECT 2 SETTINGS readonly = 0)',
      reason: /SETTINGS/,
    },
    {
      name: 'SETTINGS in IN',
      sql: 'SELECT 1 IN (SELECT 1 SETTINGS readonly = 0)',
      reason: /SETTINGS/,
    },
    { name: 'FORMAT', sql: 'SELECT 1 FORMAT CSV', reason: /FORMAT and INTO/ },
    { name: 'INTO OUTFILE', sql: "SELECT 1 INTO OUTFILE '/tmp/x'", reason: /FORMAT and INTO/ },
    {
      name: 'INTO OUTFILE with FORMAT',
      sql: "SELECT 1 INTO OUTFILE '/tmp/x' FORMAT CSV SETTINGS readonly = 0",
      reason: /FORMAT and INTO/,
    },
    { name: 'a query parameter', sql: 'SELECT {x:String}', reason: /./ },
    {
      name: 'a line break in an alias',
      sql: 'SELECT 1 AS `a\\n  Literal 1`',
      reason: /plain words/,
    },
    {
      name: 'a line break in a name',
      sql: 'SELECT `a\\nb` FROM posts_v',
      reason: /plain words/,
    },
    {
      name: 'a raw line break in a double-quoted alias',
      sql: 'SELECT 1 AS "a\nb"',
      reason: /plain words/,
    },
    { name: 'a forged count in an alias', sql: 'SELECT 1 AS `x (children 3)`', reason: /./ },
    { name: 'brackets in a table name', sql: 'SELECT * FROM `posts_v (alias x)`', reason: /./ },
    { name: 'a backtick in a name', sql: 'SELECT 1 AS `a``b`', reason: /plain words/ },
    { name: 'a null byte', sql: 'SELECT 1 \0; DROP TABLE analyses', reason: /./ },
    { name: 'an unknown clause', sql: 'SELECT * FROM posts_v SAMPLE 1/2', reason: /SampleRatio/ },
    { name: 'too much text', sql: `SELECT '${'x'.repeat(20_000)}'`, reason: /20000/ },
    {
      name: 'too many nodes',
      sql: `SELECT [${Array.from({ length: 6_000 }, () => 'a').join()}]`,
      reason: /too large/,
    },
  ]

describe('checkSql on the engine', () => {
  let opened: TestStore

  before(async () => {
    opened = await openTestStore()
    await storePosts(opened.store, [
      { id: 'a', text: 'up $AAPL', partition: 0, offset: 0, publishedAt: Date.now() },
    ])
  })
  after(() => opened.close())

  for (const { name, sql } of allowed)
    it(`allows ${name}, and it runs`, async () => {
      const verdict = await checkSql(opened.store, sql)
      assert.equal(verdict.kind, 'allowed', 'reason' in verdict ? verdict.reason : '')
      if (verdict.kind === 'allowed') await runStatement(opened.store, verdict.statement)
    })

  for (const { name, sql, reason } of refused)
    it(`refuses ${name}`, async () => {
      const verdict = await checkSql(opened.store, sql)
      assert.equal(verdict.kind, 'refused')
      if (verdict.kind === 'refused') assert.match(verdict.reason, reason)
    })

  it('keeps the order of the statement, and its rows within the limit', async () => {
    const sql = 'SELECT number FROM numbers(20000) ORDER BY number DESC'
    const answer = await runStatement(opened.store, sql)
    assert.deepEqual(answer.columns, [{ name: 'number', type: 'UInt64' }])
    assert.equal(answer.rows.length, 10_000)
    assert.ok(answer.truncated)
    assert.ok(answer.rows.every(([number], index) => Number(number) === 19_999 - index))
  })

  it('stops a query that needs too much memory', async () => {
    const sql = 'SELECT length(groupArray(number)) FROM numbers(1000000000)'
    await assert.rejects(runStatement(opened.store, sql), /memory/i)
  })

  it('leaves the store as it was', async () => {
    const [row] = await opened.store.query<{ n: number }>(
      'SELECT toUInt32(count()) AS n FROM analyses',
    )
    assert.equal(row?.n, 2)
  })
})
