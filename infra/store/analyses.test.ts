import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { packageRoot } from '../package-root.ts'
import { sampleBlock } from './analyses.fixture.ts'
import { marksSql } from './offsets.ts'
import { type OpenedStore, openings } from './openings.fixture.ts'
import { insertSql, markSql } from './sql.ts'
import type { Store } from './store.ts'

for (const opening of openings)
  describe(`the table analyses, ${opening.name}`, () => {
    let opened: OpenedStore
    const minute = '2026-11-24 10:05:00.000'
    const post = {
      text: 'a text',
      author: 'a person',
      source: 's',
      kind: 'comment',
      status: 'original',
    }
    const verdict = { negative: 0.7, neutral: 0.2, positive: 0.1, score: -0.6 }
    let store: Store

    before(async () => {
      opened = await opening.open()
      store = opened.store
      const mention = { ordinal: 1, instrument: 'US:META', ...post, ...verdict }
      const at = (published_at: string, appended_at = published_at) => ({
        published_at,
        appended_at,
      })
      const outcome = await store.insertBlock(
        sampleBlock([
          { offset: 0, ...post, ...verdict, ...at(minute) },
          { offset: 0, ...mention, ...at(minute) },
          { offset: 1, ...post, ...verdict, ...at('2026-11-24 10:05:30.000') },
          {
            offset: 1,
            ...mention,
            negative: 0.1,
            positive: 0.7,
            score: 0.6,
            ...at('2026-11-24 10:05:30.000'),
          },
          {
            offset: 2,
            outcome: 'duplicate',
            ...post,
            post_id: 'post-0',
            ...at(minute, '2026-11-24 10:06:00.000'),
          },
          {
            offset: 3,
            ...post,
            post_id: 'post-0',
            version: 2,
            status: 'withdrawn',
            ...at(minute, '2026-11-24 10:07:00.000'),
          },
          { offset: 4, outcome: 'dead', post_id: '', version: 0, ...at('2026-11-24 10:07:00.000') },
          {
            offset: 9,
            gap_from: 5,
            outcome: 'gap',
            post_id: '',
            version: 0,
            ...at('2026-11-24 10:07:00.000'),
          },
        ]),
      )
      assert.deepEqual(outcome, { kind: 'acknowledged' })
    })
    after(() => opened.close())

    const partition = { logTopic: 'posts@0', partition: 0 }
    const explain = async (sql: string, params = {}): Promise<string> =>
      (await store.query<{ explain: string }>(`EXPLAIN ${sql}`, params))
        .map((row) => row.explain)
        .join('\n')

    const questions = [
      { name: 'the mark', sql: markSql('analyses'), projection: 'mark' },
      { name: 'the marks of the tail', sql: marksSql, projection: 'mark' },
      {
        name: 'the series of an instrument',
        sql: "SELECT minute, sum(mentions) FROM sentiment_per_minute_v WHERE instrument = 'US:META' AND minute > now() - INTERVAL 1 YEAR AND NOT history GROUP BY minute",
        projection: 'per_minute',
      },
    ]
    for (const { name, sql, projection } of questions) {
      it(`answers ${name} from the projection ${projection}`, async () => {
        assert.match(
          await explain(sql, partition),
          new RegExp(`ReadFrom(MergeTree|PreparedSource) \\(${projection}\\)`),
        )
      })
    }

    it('answers the fence from the projection mark', async () => {
      // An INSERT has no EXPLAIN, but refuses to run when the projection that it must use is not the one in use.
      const fenced = (projection: string) =>
        insertSql({
          table: 'analyses',
          columns: [{ name: 'offset', type: 'Int64' }],
          fence: 'analyses',
          rowsIn: 'parameter',
          maxExecutionMs: 10_000,
        }).replace(
          'SETTINGS ',
          `SETTINGS force_optimize_projection = 1, force_optimize_projection_name = '${projection}', `,
        )
      const params = { ...partition, mark: 4, token: 'unused', body: '{"offset":5}' }
      await assert.rejects(store.command(fenced('mark'), params), /MARK_MOVED/)
      await assert.rejects(
        store.command(fenced('per_minute'), params),
        /per_minute is specified .* but not used/,
      )
    })

    it('finds a post by its id through the bloom filter', async () => {
      assert.match(
        await explain("indexes = 1 SELECT * FROM posts_v WHERE post_id = 'post-1'"),
        /post_id_bloom/,
      )
    })

    it('shows the newest version of each post, withdrawn ones marked', async () => {
      assert.deepEqual(
        await store.query(
          'SELECT post_id, version, withdrawn, status FROM posts_v ORDER BY post_id',
        ),
        [
          { post_id: 'post-0', version: 2, withdrawn: true, status: 'withdrawn' },
          { post_id: 'post-1', version: 1, withdrawn: false, status: 'original' },
        ],
      )
    })

    it('shows mentions alone, and counts each once', async () => {
      assert.deepEqual(
        await store.query('SELECT post_id, ordinal FROM mentions_v ORDER BY offset'),
        [
          { post_id: 'post-0', ordinal: 1 },
          { post_id: 'post-1', ordinal: 1 },
        ],
      )
      const [row] = await store.query<Record<string, unknown>>(
        'SELECT instrument, minute, mentions, negative_mentions, positive_mentions, round(mean_score, 6) AS score, round(mean_negative, 6) AS negative FROM sentiment_per_minute_v',
      )
      assert.deepEqual(row, {
        instrument: 'US:META',
        minute: '2026-11-24 10:05:00',
        mentions: 2,
        negative_mentions: 1,
        positive_mentions: 1,
        score: 0,
        negative: 0.4,
      })
    })

    it('erases a text in rows and projections, and keeps the rows', async () => {
      const erasure =
        /ALTER TABLE analyses UPDATE .* WHERE post_id = 'the-post' .*/.exec(documentation)?.[0] ??
        ''
      await store.command(erasure.replace('the-post', 'post-1'))
      const byInstrument =
        "SELECT text FROM analyses WHERE instrument = 'US:META' AND ordinal > 0 ORDER BY published_at"
      assert.match(await explain(byInstrument), /by_instrument/)
      assert.deepEqual(await store.query(byInstrument), [{ text: 'a text' }, { text: '' }])
      const byPlace = 'SELECT DISTINCT text, author FROM analyses WHERE offset = 1'
      assert.doesNotMatch(await explain(byPlace), /by_instrument/)
      assert.deepEqual(await store.query(byPlace), [{ text: '', author: '' }])
      assert.equal(await store.mark(partition), 9)
      assert.deepEqual(
        await store.query(
          "SELECT sum(mentions) AS mentions FROM sentiment_per_minute_v WHERE instrument = 'US:META'",
        ),
        [{ mentions: 2 }],
      )
      await assert.rejects(
        store.command("DELETE FROM analyses WHERE post_id = 'post-1'"),
        /projection/,
      )
    })

    it('has the columns of analyses in rescored, in the same order', async () => {
      const columnsOf = (table: string) =>
        store.query<{ name: string; type: string }>(
          'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position',
          { table },
        )
      assert.deepEqual(await columnsOf('rescored'), [
        ...(await columnsOf('analyses')),
        { name: 'revision', type: 'UInt32' },
      ])
    })

    describe('when offset 1 shows a re-scoring', () => {
      const revision = { number: 7, from: 1 }
      const coverage = (offsets: readonly [from: number, to: number][]) => ({
        'coverage.log_topic': offsets.map(() => 'posts@0'),
        'coverage.partition': offsets.map(() => 0),
        'coverage.from_offset': offsets.map(([from]) => from),
        'coverage.to_offset': offsets.map(([, to]) => to),
        'coverage.revision': offsets.map(() => revision.number),
      })
      const minutes = { minutes_from: '2026-11-24 10:05:00', minutes_to: '2026-11-24 10:05:00' }

      before(async () => {
        const rescored = {
          ...post,
          negative: 0.3,
          neutral: 0.3,
          positive: 0.4,
          score: 0.1,
          published_at: minute,
        }
        const block = sampleBlock(
          [
            { offset: 1, ...rescored, revision: 7, scored_at: '2026-11-24 11:00:00.000' },
            {
              offset: 1,
              ...rescored,
              ordinal: 1,
              instrument: 'US:META',
              revision: 7,
              scored_at: '2026-11-24 11:00:00.000',
            },
          ],
          { mark: 0, token: 'posts@0/0/1/test/0/7', revision },
        )
        assert.equal(await store.mark({ ...partition, revision }), 0)
        assert.deepEqual(await store.insertBlock(block), { kind: 'acknowledged' })
        assert.deepEqual(await store.insertBlock({ ...block, token: 'another' }), {
          kind: 'mark-moved',
        })
        assert.equal(await store.mark({ ...partition, revision }), 1)
        assert.equal(await store.mark(partition), 9)
        await store.insert('serving', [
          {
            control_offset: 3,
            served_from: '2026-11-24 11:30:00.000',
            revision: 7,
            ...minutes,
            ...coverage([[1, 2]]),
          },
          {
            control_offset: 4,
            served_from: '2026-11-24 12:30:00.000',
            revision: 8,
            ...minutes,
            ...coverage([]),
          },
          {
            control_offset: 9,
            served_from: '2026-11-24 13:30:00.000',
            revision: 10,
            ...minutes,
            ...coverage([[1, 2]]),
          },
        ])
      })

      it('shows it, and every other row as it was', async () => {
        const shown = await store.query(
          'SELECT offset, revision, round(score, 6) AS score FROM mentions_v ORDER BY offset',
        )
        assert.deepEqual(shown, [
          { offset: 0, revision: 0, score: -0.6 },
          { offset: 1, revision: 7, score: 0.1 },
        ])
        const counted = await store.query(
          'SELECT mentions, round(mean_score, 6) AS score FROM sentiment_per_minute_v',
        )
        assert.deepEqual(counted, [{ mentions: 2, score: -0.25 }])
      })

      it('still answers the series from the projection per_minute where it touches no minute', async () => {
        const series = questions.find(({ projection }) => projection === 'per_minute')?.sql ?? ''
        assert.match(await explain(series), /ReadFrom(MergeTree|PreparedSource) \(per_minute\)/)
      })

      const asWas = [
        { at: '2026-11-24 11:15:00', revision: 0 },
        { at: '2026-11-24 12:00:00', revision: 7 },
        { at: '2026-11-24 13:00:00', revision: 0 },
        { at: '2026-11-24 14:00:00', revision: 7 },
      ]
      for (const { at, revision: shown } of asWas)
        it(`tells that revision ${shown} was shown at ${at}`, async () => {
          const sql = /SELECT [^;]*FROM revisions_v[^;`]*/.exec(documentation)?.[0] ?? ''
          assert.match(sql, /2026-11-20 09:30:00/)
          const rows = await store.query<{ offset: number; revision: number }>(
            sql.replaceAll('2026-11-20 09:30:00', at),
          )
          assert.deepEqual(
            rows.map(({ offset, revision }) => ({ offset, revision })),
            [
              { offset: 0, revision: 0 },
              { offset: 1, revision: shown },
            ],
          )
        })
    })

    const documentation = readFileSync(join(packageRoot, 'docs', 'sql.md'), 'utf8')

    it('answers the page of an instrument from the projection by_instrument, where it is smaller', async () => {
      await store.command(
        `INSERT INTO analyses (log_topic, partition, offset, ordinal, instrument, outcome, published_at, appended_at)
       SELECT 'bulk@0', 0, number, 1, concat('US:', toString(number % 200)), 'scored', now(), now() FROM numbers(30000)`,
      )
      assert.match(
        await explain(
          "SELECT * FROM mentions_v WHERE instrument = 'US:7' ORDER BY published_at DESC LIMIT 50",
        ),
        /ReadFromMergeTree \(by_instrument\)/,
      )
    })

    it('has every column in docs/sql.md', async () => {
      const columns = await store.query<{ table: string; name: string }>(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table IN ('analyses', 'posts_v', 'mentions_v', 'sentiment_per_minute_v', 'log_epochs', 'labels_v', 'label_judges_v', 'label_accuracy_v', 'served_v', 'revisions_v', 'serving', 'shadow_posts_v')",
      )
      assert.ok(columns.length > 100)
      const sections = new Map(
        documentation.split(/^## /m).map((section) => [section.split('\n')[0] ?? '', section]),
      )
      const undocumented = columns.filter(({ table, name }) => {
        const cells = (sections.get(table) ?? '')
          .split('\n')
          .filter((line) => line.startsWith('| '))
          .map((line) => line.split('|')[1] ?? '')
        return !cells.some((cell) => cell.trim().split(', ').includes(name))
      })
      assert.deepEqual(undocumented, [])
    })
  })
