"""Runs a submission plan in a browser of its own.

Stands for a production worker as its company wrote it. Naps, idle waits, the judge by words and
``asyncio.run`` are what is under test: never soften them.
"""

import asyncio
import os
import tempfile
import time
from datetime import datetime

from playwright.async_api import async_playwright

VIEWPORT = {"width": 1920, "height": 1080}
USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36"
)
SUCCESS_INDICATORS = ["success", "thank you", "submitted", "received"]
HEARTBEAT_SECONDS = 20


def run_plan(job_id, directory, plan):
    """Execute a plan and report the outcome. Must not be called from a running event loop."""
    return asyncio.run(_run_plan_async(job_id, directory, plan))


async def _run_plan_async(job_id, directory, plan):
    started = time.time()
    heartbeat = asyncio.create_task(_heartbeat(job_id))
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(headless=True)
            context = await browser.new_context(viewport=VIEWPORT, user_agent=USER_AGENT)
            page = await context.new_page()
            steps_executed = 0
            for step in plan:
                try:
                    await _execute_step(page, step)
                except Exception as error:
                    raise RuntimeError(f"Step execution failed: {error}") from error
                steps_executed += 1
                await asyncio.sleep(0.5)
            screenshot = os.path.join(tempfile.gettempdir(), f"screenshot_{job_id}_{directory}.png")
            await page.screenshot(path=screenshot, full_page=True)
            html = (await page.content()).lower()
            found = [word for word in SUCCESS_INDICATORS if word in html]
            final_url = page.url
            await browser.close()
        result = {
            "status": "submitted" if found else "failed",
            "duration_ms": int((time.time() - started) * 1000),
            "screenshot_url": screenshot,
            "listing_url": final_url if found else None,
            "response_log": {
                "final_url": final_url,
                "steps_executed": steps_executed,
                "success_indicators_found": found,
            },
        }
        if not found:
            result["error_message"] = "No success indicators found on final page"
        print(f"[{datetime.now()}] {job_id} {directory}: {result['status']}")
        return result
    except Exception as error:
        return {
            "status": "failed",
            "duration_ms": int((time.time() - started) * 1000),
            "error_message": str(error),
            "response_log": {"error": str(error), "error_type": type(error).__name__},
        }
    finally:
        heartbeat.cancel()


async def _execute_step(page, step):
    action = step["action"]
    if action == "goto":
        await page.goto(step["url"], wait_until="networkidle", timeout=30000)
    elif action == "fill":
        await page.fill(step["selector"], step.get("value") or "", timeout=10000)
    elif action == "click":
        await page.click(step["selector"], timeout=10000)
    elif action == "select":
        await page.select_option(step["selector"], step.get("value"), timeout=10000)
    elif action == "wait":
        if step.get("until") == "networkidle":
            await page.wait_for_load_state("networkidle", timeout=30000)
        elif step.get("seconds"):
            await asyncio.sleep(step["seconds"])
    else:
        raise ValueError(f"Unknown action: {action}")


async def _heartbeat(job_id):
    while True:
        print(f"heartbeat {job_id}")
        await asyncio.sleep(HEARTBEAT_SECONDS)
