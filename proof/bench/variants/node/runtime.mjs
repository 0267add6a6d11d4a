// The least that serves Lambda's runtime API. Lambda's own runtime for Node does more, so it costs more.
import { Agent, request } from "node:http";

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/`;
const agent = new Agent({ keepAlive: true });

const call = (method, path, body) =>
  new Promise((resolve, reject) => {
    request(api + path, { method, agent }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ text, id: response.headers["lambda-runtime-aws-request-id"] });
    })
      .on("error", reject)
      .end(body);
  });

export const serve = async (handler) => {
  for (;;) {
    const { text, id } = await call("GET", "next");
    try {
      await call("POST", `${id}/response`, JSON.stringify(await handler(JSON.parse(text))));
    } catch (e) {
      await call("POST", `${id}/error`, JSON.stringify({ errorType: e.name, errorMessage: e.message }));
    }
  }
};
