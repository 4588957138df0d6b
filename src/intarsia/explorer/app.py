"""The web application: addresses of the page, of its data, and of the work it can start.

Data addresses are those of the files that `export` writes, so the page reads both alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, Response

from intarsia.errors import IntarsiaError, UsageError
from intarsia.explorer import attributing
from intarsia.explorer.guard import Guard
from intarsia.explorer.jobs import Busy, Job, Jobs
from intarsia.explorer.library import Library
from intarsia.explorer.making import MACHINE_PICTURES, SAMPLES, Wish, draw_wish
from intarsia.explorer.page_files import media_type, page_files

RunName = Annotated[str, InPath(pattern="^[a-z0-9-]{1,80}$")]
Number = Annotated[int, InPath(ge=0, le=10**9)]
Kind = Literal["sample", "sources", "pools", "steps"]
Numbers = Annotated[
    str, Query(pattern=r"^[0-9]{1,9}(,[0-9]{1,9}){0,199}$", description="At most 200, by commas.")
]
BINARY = "application/octet-stream"
UPLOADS = ("image/png", "image/jpeg", "image/webp")

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "Asked for what cannot be served; detail says why."},
    404: {"description": "There is no such thing."},
    409: {"description": "A file of the run is damaged."},
    413: {"description": "Too large."},
    415: {"description": "Neither PNG, JPEG nor WebP."},
    429: {"description": "Too many jobs wait."},
}


def explorer_app(library: Library, *, out: Path, host: str = "127.0.0.1") -> Guard:
    """Make the application.

    Parameters
    ----------
    library : the runs to show.
    out : folder that pictures drawn from the page go to.
    host : what the server is bound to.
    """
    jobs = Jobs()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        jobs.close()
        library.close()

    app = FastAPI(
        title="Intarsia explorer", docs_url=None, redoc_url=None, lifespan=lifespan,
        responses=REFUSALS,
    )  # fmt: skip
    app.add_middleware(GZipMiddleware, minimum_size=2048, compresslevel=1)
    _explain_errors(app)
    _serve_page(app)
    _serve_data(app, library)
    _serve_jobs(app, library, jobs, out)
    return Guard(app, host, attributing.MOST_BYTES)


def _explain_errors(app: FastAPI) -> None:
    def answer(status: int) -> Any:
        return lambda request, error: JSONResponse({"detail": _words(error)}, status)

    app.add_exception_handler(LookupError, answer(404))
    app.add_exception_handler(IntarsiaError, answer(409))
    app.add_exception_handler(UsageError, answer(400))
    app.add_exception_handler(Busy, answer(429))


def _words(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


def _serve_page(app: FastAPI) -> None:
    def send(name: str) -> Response:
        if name not in page_files():
            raise LookupError(f"There is no file {name!r}.")
        return Response(
            page_files()[name], media_type=media_type(name), headers={"cache-control": "no-cache"}
        )

    @app.get("/", include_in_schema=False)
    def index() -> Response:
        return send("index.html")

    @app.get("/page/{name}", include_in_schema=False)
    def file(name: str) -> Response:
        return send(f"page/{name}")


def _serve_data(app: FastAPI, library: Library) -> None:
    @app.get("/data/index.json")
    def index() -> dict[str, Any]:
        """What there is: runs, and what the page may start."""
        return {
            "live": True,
            "runs": library.titles(),
            "corpora": list(library.openings()),
            "limits": {
                "samples": SAMPLES,
                "machine_pictures": MACHINE_PICTURES,
                "bytes": attributing.MOST_BYTES,
            },
        }

    @app.get("/data/{run}/run.json")
    def run_summary(run: RunName) -> JSONResponse:
        """A run, and the numbers of its samples."""
        return JSONResponse(library.summary(run))

    @app.get("/data/{run}/sheet-{page}.png", response_class=Response)
    def sheet(run: RunName, page: Number) -> Response:
        """A hundred samples side by side."""
        return Response(library.sheet(run, page), media_type="image/png")

    @app.get("/data/{run}/uses.bin", response_class=Response)
    def uses(run: RunName) -> Response:
        """Which sample used which training picture."""
        return Response(library.uses(run), media_type=BINARY)

    @app.get("/data/{run}/training.bin", response_class=Response)
    def training(run: RunName, numbers: Numbers) -> Response:
        """Training pictures by number."""
        wanted = [int(number) for number in numbers.split(",")]
        return Response(library.training(run, wanted), media_type=BINARY)

    @app.get("/data/{run}/{index}/{kind}.bin", response_class=Response)
    def block(run: RunName, index: Number, kind: Kind) -> Response:
        """One sample: itself, its training pictures, its candidates, or its reverse steps."""
        return Response(library.block(run, index, kind), media_type=BINARY)


def _serve_jobs(app: FastAPI, library: Library, jobs: Jobs, out: Path) -> None:
    def opening(key: str) -> Any:
        known = library.openings()
        if key not in known:
            raise UsageError(f"{key!r} is none of the data offered: {', '.join(known)}.")
        return known[key]

    @app.get("/api/jobs")
    def all_jobs() -> list[dict[str, Any]]:
        """All jobs, oldest first."""
        return [job.to_json() for job in jobs.all()]

    @app.post("/api/jobs", status_code=202)
    def generate(wish: Wish) -> dict[str, Any]:
        """Draw a few pictures."""
        chosen = opening(wish.data)

        def work(job: Job) -> str:
            return library.add_folder(draw_wish(wish, chosen, out, job))

        name = wish.model if wish.model != "nps" else f"nps {wish.principles}"
        words = f"{wish.n} by {name} from {wish.data}, seed {wish.seed}"
        return jobs.submit(words, work).to_json()

    @app.post(
        "/api/attribute",
        status_code=202,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    kind: {"schema": {"type": "string", "format": "binary"}} for kind in UPLOADS
                },
            }
        },
    )
    async def attribute(
        request: Request,
        data: Annotated[str, Query(max_length=300)],
        window: Annotated[int, Query(ge=3, le=15)] = 7,
        radius: Annotated[int | None, Query(ge=0, le=64)] = None,
    ) -> JSONResponse:
        """Attribute a picture: the body is a PNG, JPEG or WebP file."""
        if request.headers.get("content-type", "").split(";")[0].strip() not in UPLOADS:
            return JSONResponse({"detail": "Send a PNG, JPEG or WebP file."}, 415)
        body = await request.body()
        job = await _in_thread(_submit, library, jobs, opening, data, body, window, radius)
        return JSONResponse(job.to_json(), 202)

    @app.get("/api/jobs/{number}")
    def one_job(number: Number) -> dict[str, Any]:
        """How far a job is."""
        return jobs.get(number).to_json()

    @app.get("/api/jobs/{number}/preview.png", response_class=Response)
    def preview(number: Number) -> Response:
        """The canvases of a job under way."""
        png = jobs.get(number).preview
        if png is None:
            raise LookupError("There is nothing to see yet.")
        return Response(png, media_type="image/png", headers={"cache-control": "no-store"})

    @app.delete("/api/jobs/{number}")
    def cancel(number: Number) -> dict[str, Any]:
        """Ask a job to stop."""
        return jobs.cancel(number).to_json()


def _submit(
    library: Library, jobs: Jobs, opening: Any, data: str, body: bytes, window: int,
    radius: int | None,
) -> Job:  # fmt: skip
    corpus = library.corpora.open(opening(data))
    picture, notes = attributing.read(body, corpus)

    def work(job: Job) -> str:
        return library.add_attributed(
            attributing.attributed(
                picture,
                corpus,
                notes=notes,
                window=window,
                radius=radius,
                progress=job.advance,
                should_stop=job.should_stop,
            )
        )

    return jobs.submit(f"a picture against {data}, window {window}", work)


async def _in_thread(work: Any, *arguments: Any) -> Any:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(work, *arguments)
