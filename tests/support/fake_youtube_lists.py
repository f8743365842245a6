"""A channel or playlist of YouTube in pages, which yt-dlp's real reader of lists asks."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from fake_youtube import CHANNEL

from workers.youtube_talk import PageRequest


def video_id(number: int) -> str:
    return f"vid{number:08d}"


class FakeList:
    """So many videos, a hundred a page; `broken_at` is a page that is not answered."""

    def __init__(self, videos: int, *, page: int = 100, title: str = "Talks", channel: str = CHANNEL) -> None:
        self.numbers = list(range(videos))
        self.page = page
        self.title = title
        self.channel = channel
        self.broken_at: int | None = None
        self.asked: list[str] = []
        self.pages_asked: list[int] = []

    def __call__(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        url = request["url"]
        self.asked.append(url)
        body: Any = {}
        if "/youtubei/v1/browse" in url:
            asked = json.loads(base64.b64decode(request["body"]))
            token = asked.get("continuation")
            number = int(token.removeprefix("page-"))
            self.pages_asked.append(number)
            if number == self.broken_at:
                return {"error": "it rains"}
            body = self._later(number)
        elif url.endswith("/about") or "/playlist?" in url:
            shown = self._about() if url.endswith("/about") else self._first()
            return self._answer(url, f"<script>var ytInitialData = {json.dumps(shown)};</script>", "text/html")
        return self._answer(url, json.dumps(body), "application/json")

    def client(self, request: PageRequest, deadline: float) -> dict[str, object]:
        body = None if request.body is None else base64.b64encode(request.body).decode()
        return dict(self({"url": request.url, "body": body}))

    @staticmethod
    def _answer(url: str, text: str, media_type: str) -> dict[str, Any]:
        return {"url": url, "media_type": media_type, "body": base64.b64encode(text.encode()).decode()}

    def _about(self) -> dict[str, Any]:
        tab = {"tabRenderer": {"selected": True, "title": "Home", "content": {}}}
        return {
            "contents": {"twoColumnBrowseResultsRenderer": {"tabs": [tab]}},
            "metadata": {"channelMetadataRenderer": {"title": self.title, "externalId": self.channel}},
        }

    def _first(self) -> dict[str, Any]:
        listed = {"playlistVideoListRenderer": {"contents": self._items(0)}}
        section = {"sectionListRenderer": {"contents": [{"itemSectionRenderer": {"contents": [listed]}}]}}
        tab = {"tabRenderer": {"selected": True, "content": section}}
        stats = [{"runs": [{"text": f"{len(self.numbers):,}"}, {"text": " videos"}]}]
        return {
            "contents": {"twoColumnBrowseResultsRenderer": {"tabs": [tab]}},
            "metadata": {"playlistMetadataRenderer": {"title": self.title}},
            "header": {"playlistHeaderRenderer": {"title": {"simpleText": self.title}, "privacy": "PUBLIC"}},
            "sidebar": {
                "playlistSidebarRenderer": {
                    "items": [
                        {"playlistSidebarPrimaryInfoRenderer": {"stats": stats}},
                        {"playlistSidebarSecondaryInfoRenderer": {"videoOwner": {"videoOwnerRenderer": self._owner()}}},
                    ]
                }
            },
        }

    def _owner(self) -> dict[str, Any]:
        endpoint = {"browseEndpoint": {"browseId": self.channel}}
        return {"title": {"runs": [{"text": "Ada", "navigationEndpoint": endpoint}]}, "navigationEndpoint": endpoint}

    def _later(self, number: int) -> dict[str, Any]:
        append = {"appendContinuationItemsAction": {"continuationItems": self._items(number)}}
        return {"onResponseReceivedActions": [append]}

    def _items(self, number: int) -> list[dict[str, Any]]:
        start = number * self.page
        items: list[dict[str, Any]] = [
            {
                "playlistVideoRenderer": {
                    "videoId": video_id(one),
                    "title": {"runs": [{"text": f"Talk {one}"}]},
                    "lengthSeconds": "60",
                    "shortBylineText": {
                        "runs": [{"text": "Ada", "navigationEndpoint": {"browseEndpoint": {"browseId": self.channel}}}]
                    },
                }
            }
            for one in self.numbers[start : start + self.page]
        ]
        if start + self.page < len(self.numbers):
            command = {"continuationCommand": {"token": f"page-{number + 1}"}}
            items.append({"continuationItemRenderer": {"continuationEndpoint": command}})
        return items
