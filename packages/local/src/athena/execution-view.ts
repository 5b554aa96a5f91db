import { type Execution, isFinal } from './execution'

/** QueryExecution as GetQueryExecution and BatchGetQueryExecution answer it. Times are seconds, as JSON 1.1 has them. */
export function executionView(execution: Execution): object {
  const { request, outcome, failure, state } = execution
  const engineMs = Math.round(execution.runningMs)
  const queuedMs = Math.round(execution.queuedMs)
  return {
    QueryExecutionId: execution.id,
    Query: request.query,
    StatementType: execution.class.type,
    SubstatementType: execution.class.substatement,
    // A reused result stays where it is (user guide, "Reuse query results").
    ResultConfiguration: { OutputLocation: (execution.reusedFrom ?? execution).outputPath },
    ResultReuseConfiguration: { ResultReuseByAgeConfiguration: reuseView(request.reuseMaxAgeMs) },
    QueryExecutionContext: {
      ...(request.database === undefined ? {} : { Database: request.database }),
      ...(request.catalog === undefined ? {} : { Catalog: request.catalog }),
    },
    Status: {
      State: state,
      ...(execution.reason === undefined ? {} : { StateChangeReason: execution.reason }),
      SubmissionDateTime: execution.submittedAt / 1000,
      ...(execution.completedAt === undefined ? {} : { CompletionDateTime: execution.completedAt / 1000 }),
      ...(failure === undefined
        ? {}
        : {
            AthenaError: {
              ErrorCategory: failure.category,
              ErrorType: failure.type,
              Retryable: failure.retryable,
              ErrorMessage: failure.message,
            },
          }),
    },
    Statistics: {
      EngineExecutionTimeInMillis: engineMs,
      DataScannedInBytes: outcome?.scannedBytes ?? execution.scannedBytes,
      ...(outcome?.manifest === undefined ? {} : { DataManifestLocation: outcome.manifest }),
      TotalExecutionTimeInMillis: engineMs + queuedMs,
      QueryQueueTimeInMillis: queuedMs,
      ...(isFinal(state) ? { ServicePreProcessingTimeInMillis: 0, ServiceProcessingTimeInMillis: 0 } : {}),
      QueryPlanningTimeInMillis: Math.round(outcome?.planningMs ?? 0),
      ResultReuseInformation: { ReusedPreviousResult: execution.reusedFrom !== undefined },
    },
    WorkGroup: request.workgroup,
    EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
    ...(request.parameters.length > 0 ? { ExecutionParameters: request.parameters } : {}),
  }
}

function reuseView(maxAgeMs: number | undefined): object {
  return maxAgeMs === undefined ? { Enabled: false } : { Enabled: true, MaxAgeInMinutes: maxAgeMs / 60_000 }
}
