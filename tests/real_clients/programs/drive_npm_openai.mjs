// The npm package `openai`. Reports as the Python programs do; see errand.py.

import { createRequire } from "node:module";

const require = createRequire(process.env.AZURE_RESPONSES_NODE_MODULES + "/");
const { OpenAI, AzureOpenAI } = require("openai");
const { VERSION: version } = require("openai/version");
const errand = JSON.parse(process.argv[2]);
const client = new OpenAI({ baseURL: errand.url + "/v1", apiKey: errand.key });
const model = "gpt-5-mini";
const pong = "Reply with exactly: pong";
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tool = { type: "function", name: "get_weather", parameters, strict: true };
const question = "What is the weather in Paris? Use get_weather.";
const user = (content) => ({ role: "user", content });

async function create() {
  const response = await client.responses.create({ model, input: pong });
  return { version, text: response.output_text, tokens: response.usage.total_tokens };
}

async function stream() {
  const events = [];
  for await (const event of await client.responses.create({ model, input: pong, stream: true })) {
    events.push(event);
  }
  const deltas = events.filter((event) => event.type === "response.output_text.delta");
  return {
    first: events[0].type,
    last: events.at(-1).type,
    text: deltas.map((event) => event.delta).join(""),
  };
}

async function turns() {
  let response = await client.responses.create({ model, input: "My name is Ada." });
  const texts = [];
  for (let turn = 0; turn < 4; turn++) {
    response = await client.responses.create({
      model,
      input: "What is my name?",
      previous_response_id: response.id,
    });
    texts.push(response.output_text);
  }
  return { texts };
}

async function replayed() {
  const input = [user("My name is Ada.")];
  const texts = [];
  for (let turn = 0; turn < 4; turn++) {
    const response = await client.responses.create({
      model,
      input,
      store: false,
      include: ["reasoning.encrypted_content"],
    });
    texts.push(response.output_text);
    input.push(...response.output, user("What is my name?"));
  }
  return { texts };
}

async function stored() {
  const created = await client.responses.create({ model, input: pong });
  const found = await client.responses.retrieve(created.id);
  const items = [];
  for await (const item of client.responses.inputItems.list(created.id)) items.push(item);
  await client.responses.delete(created.id);
  const gone = await client.responses.retrieve(created.id).catch((error) => error.status);
  return { text: found.output_text, items: items.map((item) => item.content[0].text), gone };
}

async function background() {
  let response = await client.responses.create({ model: "slow", input: pong, background: true });
  const began = response.status;
  for (let poll = 0; poll < 100 && response.status !== "completed"; poll++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    response = await client.responses.retrieve(response.id);
  }
  return { began, text: response.output_text };
}

async function tools() {
  const asked = await client.responses.create({ model, input: question, tools: [tool] });
  const call = asked.output.find((item) => item.type === "function_call");
  const answer = await client.responses.create({
    model,
    input: [{ type: "function_call_output", call_id: call.call_id, output: "12 degrees" }],
    tools: [tool],
    previous_response_id: asked.id,
  });
  return { call: call.name, text: answer.output_text };
}

async function chat() {
  const { type, ...details } = tool;
  const tools = [{ type, function: details }];
  const messages = [user(question)];
  const asked = await client.chat.completions.create({ model, messages, tools });
  const message = asked.choices[0].message;
  const id = message.tool_calls[0].id;
  messages.push(message, { role: "tool", tool_call_id: id, content: "12 degrees" });
  const answer = await client.chat.completions.create({ model, messages, tools });
  const chunks = client.chat.completions.stream({ model, messages: [user(pong)] });
  return { text: answer.choices[0].message.content, streamed: await chunks.finalContent() };
}

async function azure() {
  const client = new AzureOpenAI({
    endpoint: errand.url,
    apiKey: errand.key,
    apiVersion: "2025-04-01-preview",
  });
  const response = await client.responses.create({ model, input: pong });
  const completion = await client.chat.completions.create({ model, messages: [user(pong)] });
  return { text: response.output_text, chat: completion.choices[0].message.content };
}

async function errors() {
  const unknown = await client.responses
    .create({ model: "nobody", input: pong })
    .catch((error) => [error.constructor.name, error.status, error.code]);
  const wrong = new OpenAI({ baseURL: errand.url + "/v1", apiKey: "sk-wrong" });
  const key = await wrong.models.list().catch((error) => error.constructor.name);
  return { unknown, key };
}

const log = errand.emulator + "/_emulator/requests";
const report = {};
for (const run of [
  create,
  stream,
  turns,
  replayed,
  stored,
  background,
  tools,
  chat,
  azure,
  errors,
]) {
  await fetch(log, { method: "DELETE" });
  const entry = await run().then(
    (seen) => ({ seen }),
    (error) => ({ error: String(error.stack) }),
  );
  const { requests } = await (await fetch(log)).json();
  report[run.name] = { ...entry, requests };
}
console.log(JSON.stringify({ gateway: report }));
