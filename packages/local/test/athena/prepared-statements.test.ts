import {
  BatchGetPreparedStatementCommand,
  CreatePreparedStatementCommand,
  DeletePreparedStatementCommand,
  GetPreparedStatementCommand,
  ListPreparedStatementsCommand,
  UpdatePreparedStatementCommand,
} from '@aws-sdk/client-athena'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena()
})
afterAll(() => athena.close())

const place = { WorkGroup: 'primary', StatementName: 'by_number' }

test('statements are made, run, changed and deleted by API and by SQL alike', async () => {
  const { client } = athena
  const sql = 'SELECT x FROM (VALUES 1, 2, 3) t(x) WHERE x > ? ORDER BY x'
  await client.send(new CreatePreparedStatementCommand({ ...place, QueryStatement: sql, Description: 'by number' }))
  expect(await athena.rows('EXECUTE by_number USING 1')).toEqual([['2'], ['3']])
  expect(await athena.rows('EXECUTE by_number', { ExecutionParameters: ['2'] })).toEqual([['3']])
  const { PreparedStatement } = await client.send(new GetPreparedStatementCommand(place))
  expect(PreparedStatement).toMatchObject({
    StatementName: 'by_number',
    QueryStatement: sql,
    WorkGroupName: 'primary',
    Description: 'by number',
  })
  await expect(client.send(new CreatePreparedStatementCommand({ ...place, QueryStatement: sql }))).rejects.toMatchObject({
    name: 'InvalidRequestException',
  })
  await client.send(new UpdatePreparedStatementCommand({ ...place, QueryStatement: 'SELECT ? AS a' }))
  expect(await athena.rows("EXECUTE by_number USING 'it''s, (a) test'")).toEqual([["it's, (a) test"]])
  await athena.ok('PREPARE "Other" FROM SELECT 1 AS one')
  const listed = await client.send(new ListPreparedStatementsCommand({ WorkGroup: 'primary' }))
  expect(listed.PreparedStatements?.map(({ StatementName }) => StatementName)).toEqual(['Other', 'by_number'])
  const some = await client.send(
    new BatchGetPreparedStatementCommand({ WorkGroup: 'primary', PreparedStatementNames: ['Other', 'missing'] }),
  )
  expect(some.PreparedStatements).toHaveLength(1)
  expect(some.UnprocessedPreparedStatementNames).toMatchObject([{ StatementName: 'missing', ErrorCode: 'STATEMENT_NOT_FOUND' }])
  await client.send(new DeletePreparedStatementCommand(place))
  await expect(client.send(new GetPreparedStatementCommand(place))).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  expect(await athena.failure('EXECUTE by_number')).toBe('NOT_FOUND: Prepared statement not found: by_number')
  expect(await athena.failure('DEALLOCATE PREPARE by_number')).toBe('NOT_FOUND: Prepared statement not found: by_number')
})

test('what has no parameters cannot be prepared, and their number must agree', async () => {
  expect(await athena.failure('PREPARE p FROM SHOW TABLES')).toContain('Only SELECT, INSERT INTO')
  expect(await athena.failure('PREPARE p FROM SELEC 1')).toContain('SYNTAX_ERROR')
  await athena.ok('PREPARE p FROM SELECT ? AS a')
  expect(await athena.failure('EXECUTE p')).toContain('Incorrect number of parameters: expected 1 but found 0')
  expect(await athena.failure("EXECUTE p USING 1, 'b'")).toContain('expected 1 but found 2')
  expect(await athena.failure('EXECUTE p USING 1; DROP TABLE x')).toContain('only one SQL statement')
})

test('EXECUTE needs the right to read the statement, and all that the statement needs', async () => {
  await athena.ok('PREPARE guarded FROM SELECT 1 AS a')
  athena.iam.setPolicy('reader', {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['athena:StartQueryExecution', 'athena:GetQueryExecution'], Resource: '*' },
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    ],
  })
  const failed = await athena.failure('EXECUTE guarded', {}, athena.clientOf('reader'))
  expect(failed).toMatch(/athena:GetPreparedStatement/)
})
