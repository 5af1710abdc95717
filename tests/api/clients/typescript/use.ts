// Uses the client that is generated from docs/openapi.yaml against a live portal; `test_typescript.py`
// compiles and runs it. What is marked as an error must be one: the types are no `any`.
import createClient from "openapi-fetch";
import type { components, paths } from "./portal.js";

declare const process: { env: Record<string, string>; exitCode?: number };

const portal = createClient<paths>({
  baseUrl: process.env.PORTAL_URL ?? "",
  headers: { Authorization: `Bearer ${process.env.PORTAL_TOKEN}` },
});

type Task = components["schemas"]["Task"];

function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

export const minimal: components["schemas"]["SubmitTask"] = { type: "diagnostic.echo", input: { message: "hello" } };
// @ts-expect-error: the message is a text.
export const wrong: components["schemas"]["SubmitTask"] = { type: "diagnostic.echo", input: { message: 1 } };
// @ts-expect-error: there is no such type.
export const unknown: components["schemas"]["SubmitTask"] = { type: "nope", input: {} };
// @ts-expect-error: it lacks its input.
export const less: components["schemas"]["SubmitTask"] = { type: "diagnostic.echo" };

async function read(id: string): Promise<Task> {
  const { data } = await portal.GET("/api/v1/tasks/{task_id}", { params: { path: { task_id: id } } });
  expect(data !== undefined, "the task is not there");
  return data;
}

const submitted = await portal.POST("/api/v1/tasks", { body: minimal });
expect(submitted.data !== undefined && "id" in submitted.data, `not submitted: ${submitted.error?.detail}`);
expect(submitted.response.status === 202, "not 202");
const task = await read(submitted.data.id);
expect(task.type === "diagnostic.echo" && task.status === "queued", "not a queued echo");
expect(task.input !== null && "message" in task.input && task.input.message === "hello", "another input");

const list = await portal.GET("/api/v1/tasks", { params: { query: { status: ["queued"], limit: 1 } } });
expect(list.data?.data[0]?.id === task.id && list.data.has_more === false, "not in the list");

const refused = await portal.POST("/api/v1/tasks", { body: { ...minimal, priority: 11 } });
expect(refused.error?.code === "invalid_body", "another problem");
expect(refused.error.errors[0]?.pointer === "/priority", "another fault");

const cancelled = await portal.POST("/api/v1/tasks/{task_id}/cancel", { params: { path: { task_id: task.id } } });
expect(cancelled.data?.done === true, "not cancelled");
console.log(JSON.stringify({ id: task.id, status: (await read(task.id)).status }));
