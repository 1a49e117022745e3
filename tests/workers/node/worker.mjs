// A worker for Node: one order a line in, one result a line out. Keeps its browser for all of them.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const browser = await chromium.launch();
console.log("browser", browser.version());

for await (const line of createInterface({ input: process.stdin })) {
  const { directory, plan } = JSON.parse(line);
  const started = Date.now();
  const context = await browser.newContext();
  const page = await context.newPage();
  const result = { status: "failed", response_log: { steps_executed: 0 } };
  try {
    for (const step of plan) {
      if (step.action === "goto") await page.goto(step.url);
      else if (step.action === "fill") await page.fill(step.selector, step.value ?? "");
      else if (step.action === "select") await page.selectOption(step.selector, step.value);
      else if (step.action === "click") await page.click(step.selector);
      else if (step.action === "wait") await page.waitForLoadState("networkidle");
      result.response_log.steps_executed += 1;
    }
    const accepted = await page.locator(".confirmation").count();
    if (accepted) result.status = "submitted";
    else result.error_message = `${directory}: no confirmation`;
  } catch (error) {
    result.error_message = String(error.message).split("\n")[0];
  }
  result.response_log.final_url = page.url();
  result.duration_ms = Date.now() - started;
  await context.close();
  console.log(JSON.stringify(result));
}
await browser.close();
